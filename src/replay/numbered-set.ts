// A set of numbered things of some owners: tasks of vertices, partitions of data sets. Without a text for each of them, of
// which a large store has hundreds of thousands.

export class NumberedSet {
  readonly #byOwner = new Map<string, boolean[]>();

  has(owner: string, index: number): boolean {
    return this.#byOwner.get(owner)?.[index] === true;
  }

  /** Whether it is new. */
  add(owner: string, index: number): boolean {
    const known = this.#byOwner.get(owner) ?? [];
    if (known.length === 0) this.#byOwner.set(owner, known);
    const isNew = known[index] !== true;
    known[index] = true;
    return isNew;
  }

  /** Whether it was there. */
  delete(owner: string, index: number): boolean {
    const known = this.#byOwner.get(owner);
    if (known?.[index] !== true) return false;
    known[index] = false;
    return true;
  }
}
