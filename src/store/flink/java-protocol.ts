// The constants of Java's Object Serialization Stream Protocol, version 5, and the limits that the parser keeps. Every
// count and length in a stream is bounded by the bytes that are left before anything is taken for it.
// Spec: docs/flink.md, "The Java parser".

export const streamMagic = 0xaced;
export const streamVersion = 5;
/** Back references count from here. */
export const baseHandle = 0x7e0000;

/** Type codes, one byte in front of each value. */
export const typeCode = {
  null: 0x70,
  reference: 0x71,
  classDescriptor: 0x72,
  object: 0x73,
  string: 0x74,
  array: 0x75,
  class: 0x76,
  blockData: 0x77,
  endBlockData: 0x78,
  reset: 0x79,
  blockDataLong: 0x7a,
  exception: 0x7b,
  longString: 0x7c,
  proxyClassDescriptor: 0x7d,
  enum: 0x7e,
} as const;

/** Flags of a class descriptor. */
export const classFlag = { writeMethod: 1, serializable: 2, externalizable: 4, blockData: 8, enum: 16 } as const;

/** Bytes of each primitive type, by its letter in a field or array signature. */
export const primitiveBytes: Readonly<Record<string, number>> = { B: 1, C: 2, D: 8, F: 4, I: 4, J: 8, S: 2, Z: 1 };

export interface JavaLimits {
  /** Values inside values; a stream that goes deeper is refused. */
  readonly depthMax: number;
  /** Class descriptors of one stream. */
  readonly classesMax: number;
  /** Fields of all class descriptors of one stream. */
  readonly fieldsMax: number;
  /** Handles (objects, strings, arrays, …) that any stream may have; longer streams may have one in 6 bytes. */
  readonly handlesFloor: number;
}

export const defaultJavaLimits: JavaLimits = {
  depthMax: 500,
  classesMax: 10_000,
  fieldsMax: 50_000,
  handlesFloor: 65_536,
};
