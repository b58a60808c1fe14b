// The elements of decoded plain data (an event's payload, a part of a snapshot), each taken out as what it must be. A cell
// of another shape throws a CellError, which the decoder turns into a reason; nothing else sees it.

export type Cells = readonly unknown[];

/** A cell that does not have its shape. */
export class CellError extends Error {}

export function list(cell: unknown): Cells {
  if (!Array.isArray(cell)) throw new CellError('an array was expected');
  return cell;
}

export function listOfGroups(cell: unknown, size: number): Cells {
  const cells = list(cell);
  if (cells.length % size !== 0) throw new CellError(`an array of groups of ${size} was expected`);
  return cells;
}

export function text(cell: unknown): string {
  if (typeof cell !== 'string') throw new CellError('a string was expected');
  return cell;
}

export function textOrNull(cell: unknown): string | null {
  return cell === null ? null : text(cell);
}

export function number(cell: unknown): number {
  if (typeof cell !== 'number') throw new CellError('a number was expected');
  return cell;
}

export function numberOrNull(cell: unknown): number | null {
  return cell === null ? null : number(cell);
}

export function count(cell: unknown): number {
  if (!Number.isSafeInteger(cell) || (cell as number) < 0)
    throw new CellError('a whole number, 0 or more, was expected');
  return cell as number;
}

export function flag(cell: unknown): boolean {
  if (typeof cell !== 'boolean') throw new CellError('true or false was expected');
  return cell;
}

export function bytes(cell: unknown): Uint8Array {
  if (!(cell instanceof Uint8Array)) throw new CellError('bytes were expected');
  return cell;
}

export function countOrNull(cell: unknown): number | null {
  return cell === null ? null : count(cell);
}

/** One of the known words. */
export function word<T extends string>(cell: unknown, known: readonly T[]): T {
  const found = known.find((each) => each === cell);
  if (found === undefined) throw new CellError(`one of ${known.join(', ')} was expected`);
  return found;
}
