// The classes of one store. Flink reads each of them with its own version of the class and refuses another
// serialVersionUID. One Flink wrote the whole store, so that two descriptions of one class mean that bytes were changed;
// which of them is right is told for the classes of the JDK and those that name their version themselves.
// Spec: docs/flink.md, "Classes".
import { type Undecodable, undecodable } from './decoded.ts';
import type { JavaClass } from './java-class.ts';
import { knownUids } from './known-uids.ts';

/** Characters of descriptions that are kept: Flink's events have some thirty classes of a hundred or two each. */
const descriptionsMax = 1_000_000;

export class ClassRegister {
  readonly #seen = new Map<string, string>();
  #characters = 0;

  /** null, or what Flink would trip over; `offset` is where the stream begins in its payload. */
  check(classes: readonly JavaClass[], offset: number): Undecodable | null {
    for (const found of classes) {
      const reason = this.#flaw(found);
      if (reason !== null) return undecodable(reason, offset);
    }
    return null;
  }

  #flaw(found: JavaClass): string | null {
    const known = knownUids.get(found.name);
    if (known !== undefined && known !== found.serialVersionUid) {
      return `class ${found.name} has serialVersionUID ${found.serialVersionUid}, which no Flink has written`;
    }
    const description = describe(found);
    const before = this.#seen.get(found.name);
    if (before !== undefined && before !== description) return `class ${found.name} is not described as before`;
    if (before === undefined) this.#remember(found.name, description);
    return null;
  }

  #remember(name: string, description: string): void {
    this.#characters += name.length + description.length;
    if (this.#characters <= descriptionsMax) this.#seen.set(name, description);
  }
}

function describe({ serialVersionUid, flags, fields, superClass }: JavaClass): string {
  const names = fields.map((field) => field.type + field.name).join(',');
  return `${serialVersionUid}/${flags}/${names}/${superClass?.name ?? ''}`;
}
