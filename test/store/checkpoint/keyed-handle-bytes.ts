// Builds the handles of keyed state that are made of others, byte by byte as Flink's serializers wrote them over the years and
// as they never would. Each is of all four key groups of `operator()`, unless told otherwise.
import { byte, file, inline, int, join, keyGroups, long, noHandle, utf } from './metadata-bytes.ts';

export const allKeyGroups = join(int(0), int(4));
const uuid = '00000000-0000-4000-8000-000000000000';

/** An inline stream of `size` bytes. */
export const bytesOf = (size: number) => inline(Buffer.alloc(size));

/** 123 bytes. 5: until 1.15; 11: with its size. */
export function incremental(type: 5 | 11, range: Buffer = allKeyGroups): Buffer {
  return join(
    ...[byte(type), long(1), utf(uuid), range, ...(type === 11 ? [long(77)] : []), bytesOf(3)],
    ...[int(1), utf('1.sst'), file('/data/s', 100), int(1), utf('MANIFEST'), bytesOf(20)],
    ...(type === 11 ? [utf('id')] : []),
  );
}

/** Two changes in memory, 7 bytes. */
export function changes({ from = 1, to = 2, keyGroup = 1 } = {}): Buffer {
  const both = [int(0), int(5), Buffer.alloc(5), int(keyGroup), int(2), Buffer.alloc(2)];
  return join(byte(9), allKeyGroups, long(from), long(to), int(2), ...both, utf('id'));
}

/** 40 bytes of changes in a file. 10: until 1.15; 13: with the storage's name. */
export function changelogFile(type: 10 | 13, path = '/data/dstl'): Buffer {
  return join(
    ...[byte(type), allKeyGroups, int(1), long(0), file(path, 1000), long(40), long(30), utf('id')],
    ...(type === 13 ? [utf('filesystem')] : []),
  );
}

/** 9 bytes that are materialized, nothing in the place of more, and `parts`. 8: until 1.15; 14: with the checkpoint's id. */
export function changelog(type: 8 | 14, parts: readonly Buffer[], range: Buffer = allKeyGroups): Buffer {
  return join(
    ...[byte(type), range, long(55), int(2), keyGroups(0, [0, 0, 0, 0], bytesOf(9)), noHandle],
    ...[int(parts.length), ...parts, long(1), ...(type === 14 ? [long(6)] : []), utf('id')],
  );
}
