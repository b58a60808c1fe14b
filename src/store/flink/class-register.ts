// The classes of one store. Flink reads each of them with its own version of the class and refuses another
// serialVersionUID. One Flink wrote the whole store, so that two descriptions of one class mean that bytes were changed;
// which of them is right is told for the classes of the JDK and those that name their version themselves.
// Spec: docs/flink.md, "Classes".
import { type Undecodable, undecodable } from './decoded.ts';
import type { JavaClass } from './java-class.ts';
import { knownUids } from './known-uids.ts';

const classesMax = 10_000;

export class ClassRegister {
  readonly #seen = new Map<string, string>();

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
    if (before === undefined && this.#seen.size < classesMax) this.#seen.set(found.name, description);
    return null;
  }
}

function describe({ serialVersionUid, flags, fields, superClass }: JavaClass): string {
  const names = fields.map((field) => field.type + field.name).join(',');
  return `${serialVersionUid}/${flags}/${names}/${superClass?.name ?? ''}`;
}
