// Makes Java object streams by hand, for bytes that no Java would write.

export function stream(value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0xac, 0xed, 0, 5]), value]);
}

export function int(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

export function utf(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
}

export const nullValue = Buffer.from([0x70]);

export function text(value: string): Buffer {
  return Buffer.concat([Buffer.from([0x74]), utf(value)]);
}

/** The n-th handle of the stream. */
export function reference(handle: number): Buffer {
  return Buffer.concat([Buffer.from([0x71]), int(0x7e0000 + handle)]);
}

type Field = readonly [type: string, name: string, signature?: string];

/** Without a super class. */
export function classDescriptor(name: string, fields: readonly Field[], { flags = 2 } = {}): Buffer {
  const described = fields.map(([type, field, signature]) =>
    Buffer.concat([Buffer.from(type), utf(field), signature === undefined ? Buffer.alloc(0) : text(signature)]),
  );
  const head = [Buffer.from([0x72]), utf(name), Buffer.alloc(8), Buffer.from([flags, 0, fields.length])];
  return Buffer.concat([...head, ...described, Buffer.from([0x78, 0x70])]);
}

export function objectOf(descriptor: Buffer, data: Buffer = Buffer.alloc(0)): Buffer {
  return Buffer.concat([Buffer.from([0x73]), descriptor, data]);
}

/** An array's head; its items follow. */
export function arrayOf(descriptor: Buffer, length: number): Buffer {
  return Buffer.concat([Buffer.from([0x75]), descriptor, int(length)]);
}
