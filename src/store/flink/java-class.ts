// A class as a stream describes it: its name, its fields by name and type, its super chain. Nothing is ever loaded or
// instantiated for it. The serialVersionUID is kept for those who judge what Flink would do; reading never depends on it.
import { classFlag, primitiveBytes } from './java-protocol.ts';

export interface JavaField {
  readonly name: string;
  /** Signature letter: B C D F I J S Z, `L` for an object, `[` for an array. */
  readonly type: string;
}

export class JavaClass {
  readonly name: string;
  readonly serialVersionUid: bigint;
  readonly flags: number;
  /** As described: primitives first, then objects. */
  readonly fields: readonly JavaField[];
  readonly superClass: JavaClass | null;
  /** Bytes that the primitive fields of one object take. */
  readonly primitiveBytes: number;
  /** Classes that hold data of an object, the topmost first. */
  readonly chain: readonly JavaClass[];

  constructor(parts: Pick<JavaClass, 'name' | 'serialVersionUid' | 'flags' | 'fields' | 'superClass'>) {
    this.name = parts.name;
    this.serialVersionUid = parts.serialVersionUid;
    this.flags = parts.flags;
    this.fields = parts.fields;
    this.superClass = parts.superClass;
    this.primitiveBytes = parts.fields.reduce((sum, field) => sum + (primitiveBytes[field.type] ?? 0), 0);
    this.chain = parts.superClass === null ? [this] : [...parts.superClass.chain, this];
  }

  has(flag: keyof typeof classFlag): boolean {
    return (this.flags & classFlag[flag]) !== 0;
  }

  /** Whether an object of this class is one of `className`, as far as the stream tells. */
  is(className: string): boolean {
    return this.chain.some((level) => level.name === className);
  }
}
