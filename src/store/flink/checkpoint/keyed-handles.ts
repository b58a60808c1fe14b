// Handles of keyed state: key groups in one stream, incremental RocksDB snapshots, changelogs with what they build on.
// Each function gives the size that Flink reports for the handle. Spec: docs/checkpoints.md, "Handles".
import { MetadataFault } from './metadata-cursor.ts';
import { type HandleReader, handleType } from './stream-handles.ts';

const changelogTypes: readonly number[] = [
  handleType.changelogBytes,
  handleType.changelogFile,
  handleType.changelogFileWithStorage,
];

/** In the place of a key group: a change of the state's own description. */
const ofMetadata = -1;

/** The size of the handle at the cursor; null where there is none. */
export function readKeyedHandle(reader: HandleReader, outermost = true): bigint | null {
  return reader.nested(() => {
    const at = reader.cursor.offset;
    const type = reader.cursor.uint8();
    switch (type) {
      case handleType.none:
        return null;
      case handleType.keyGroups:
      case handleType.savepointKeyGroups:
      case handleType.keyGroupsWithId:
        return readKeyGroups(reader, type, outermost);
      case handleType.incremental:
      case handleType.incrementalWithSize:
        return readIncremental(reader, type, outermost);
      case handleType.changelog:
      case handleType.changelogWithCheckpoint:
        return readChangelog(reader, type, outermost);
      case handleType.changelogBytes:
        return readChangelogBytes(reader);
      case handleType.changelogFile:
      case handleType.changelogFileWithStorage:
        return readChangelogFile(reader, type);
    }
    throw new MetadataFault(`${type} is no known type of a keyed state handle`, at);
  });
}

function readKeyGroups(reader: HandleReader, type: number, outermost: boolean): bigint {
  reader.keyGroupOffsets(outermost);
  const size = reader.stream('a key groups handle');
  if (type === handleType.keyGroupsWithId) reader.cursor.text();
  return size;
}

/** RocksDB: its own metadata, files that other checkpoints use as well, files of this checkpoint alone. */
function readIncremental(reader: HandleReader, type: number, outermost: boolean): bigint {
  const { cursor } = reader;
  const hasSize = type === handleType.incrementalWithSize;
  cursor.int64(); // id of the checkpoint
  cursor.text(); // id of the backend
  reader.keyGroups(outermost);
  if (hasSize) cursor.int64();
  const meta = reader.stream('the metadata of an incremental handle');
  const sharedFiles = readFileList(reader, true);
  const privateFiles = readFileList(reader, false);
  if (hasSize) cursor.text();
  return javaSum(javaSum(meta, sharedFiles), privateFiles);
}

function readFileList(reader: HandleReader, shared: boolean): bigint {
  // A local name's length and a handle's type are the least.
  const count = reader.cursor.count('files', 3);
  let size = 0n;
  for (let file = 0; file < count; file++) {
    const name = reader.cursor.text();
    size = javaSum(size, reader.stream(`file ${name} of an incremental handle`, shared));
  }
  return size;
}

/** What is materialized, and the changes since. */
function readChangelog(reader: HandleReader, type: number, outermost: boolean): bigint {
  const { cursor } = reader;
  const at = cursor.offset;
  if (reader.keyGroups(outermost)) reader.flaw('KEY_GROUPS_INVALID', 'a changelog handle has no key groups', at);
  cursor.int64(); // bytes that this checkpoint added
  const materialized = readParts(reader, 'materialized handles');
  const changes = readParts(reader, 'changelog handles');
  cursor.int64(); // id of the materialization
  if (type === handleType.changelogWithCheckpoint) cursor.int64();
  cursor.text();
  return javaSum(materialized, changes);
}

/** Flink steps over a missing materialized handle, and fails over a missing or other one among the changes. */
function readParts(reader: HandleReader, what: 'materialized handles' | 'changelog handles'): bigint {
  const count = reader.cursor.count(what, 1);
  let size = 0n;
  for (let part = 0; part < count; part++) {
    const at = reader.cursor.offset;
    const type = reader.cursor.bytes[at] as number;
    if (what === 'changelog handles' && !changelogTypes.includes(type)) {
      reader.flaw('HANDLE_INVALID', `type ${type} is no changelog handle`, at);
    }
    size = javaSum(size, readKeyedHandle(reader, false) ?? 0n);
  }
  return size;
}

function readChangelogBytes(reader: HandleReader): bigint {
  const { cursor } = reader;
  reader.keyGroups(false);
  for (const which of ['first', 'last'] as const) {
    const at = cursor.offset;
    const number = cursor.int64();
    if (number < 0n) reader.flaw('HANDLE_INVALID', `the ${which} sequence number of changes is ${number}`, at);
  }
  const count = cursor.count('changes', 8);
  let size = 0n;
  for (let change = 0; change < count; change++) {
    const at = cursor.offset;
    const keyGroup = cursor.int32();
    if (keyGroup < ofMetadata) reader.flaw('HANDLE_INVALID', `a change is of key group ${keyGroup}`, at);
    size += BigInt(cursor.block('a change').length);
  }
  cursor.text();
  return size;
}

function readChangelogFile(reader: HandleReader, type: number): bigint {
  const { cursor } = reader;
  reader.keyGroups(false);
  const count = cursor.count('files', 9);
  reader.exact = false;
  for (let file = 0; file < count; file++) {
    cursor.int64(); // offset in it
    reader.stream('a changelog handle', true);
  }
  reader.exact = true;
  const size = cursor.int64();
  cursor.int64(); // bytes that this checkpoint added
  cursor.text();
  if (type === handleType.changelogFileWithStorage) cursor.text();
  return size;
}

/** Java's long addition. */
export function javaSum(left: bigint, right: bigint): bigint {
  return BigInt.asIntN(64, left + right);
}
