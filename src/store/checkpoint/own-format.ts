// jobrec's own `_metadata` behind the seam of read-checkpoint.ts: decoded once, told to visitors like Flink's. Its bytes are one
// checksummed value, so that places in them are not told apart: offsets are 0. Spec: docs/streaming.md, "_metadata".
import type { CheckpointMetadata, CheckpointVisitor, StateKind, StateStream } from '../../model/checkpoint.ts';
import { JobrecError } from '../../model/errors.ts';
import { type CheckpointFormat, damagedCheckpoint, type MetadataFile } from './checkpoint-format.ts';
import { ownKafkaSources } from './own-kafka-sources.ts';
import {
  decodeMetadata,
  isOwnMetadata,
  metadataVersion,
  type OperatorState,
  type CheckpointMetadata as OwnMetadata,
  type StateHandle,
  type SubtaskState,
  stateBytesOf,
} from './own-metadata.ts';

const offset = 0;

export const ownCheckpointFormat: CheckpointFormat = {
  name: 'jobrec',
  recognises: isOwnMetadata,
  open: openOwnMetadata,
};

function openOwnMetadata({ file, folder, bytes }: MetadataFile): CheckpointMetadata {
  const decoded = decodeMetadata(bytes);
  if (decoded.kind === 'damaged') throw damagedCheckpoint(file, offset, decoded.reason);
  if (decoded.kind === 'version') throw versionError(file, decoded.formatVersion);
  const { metadata } = decoded;
  return {
    format: 'jobrec',
    formatVersion: metadataVersion,
    folder,
    file,
    bytes: bytes.length,
    walk: (visitor) => {
      walkOwn(metadata, visitor);
      visitor.end?.(bytes.length);
    },
    kafkaSources: (readState) => ownKafkaSources(metadata, readState, (handle) => streamOf(handle, 'managedOperator')),
  };
}

function versionError(file: string, version: number): JobrecError {
  const isOld = version < metadataVersion;
  return new JobrecError(
    isOld ? 'FORMAT_TOO_OLD' : 'FORMAT_TOO_NEW',
    `${file} has version ${version} of jobrec's metadata; this jobrec reads ${metadataVersion}`,
    { data: { path: file, formatVersion: version, supported: String(metadataVersion) } },
  );
}

function walkOwn(metadata: OwnMetadata, visitor: CheckpointVisitor): void {
  visitor.head?.({ formatVersion: metadataVersion, checkpointId: BigInt(metadata.checkpointId) });
  for (const operator of metadata.operators) walkOperator(operator, visitor);
  visitor.properties?.({
    type: metadata.kind,
    name: metadata.kind === 'savepoint' ? 'Savepoint' : 'Checkpoint',
    formatType: null,
    postCheckpointAction: null,
    sharingFilesStrategy: null,
  });
}

function walkOperator(operator: OperatorState, visitor: CheckpointVisitor): void {
  const { operatorId, uid, name, parallelism, maxParallelism, subtasks } = operator;
  const head = { operatorId, uid: uid || null, name: name || null, parallelism, maxParallelism };
  visitor.operator?.({ ...head, fullyFinished: false, coordinator: null, offset });
  for (const subtask of subtasks) {
    if (subtask.subtask >= parallelism) {
      const message = `subtask ${subtask.subtask} of operator ${operatorId}, whose parallelism is ${parallelism}`;
      visitor.flaw?.({ code: 'SUBTASK_OUT_OF_RANGE', message, offset });
    }
    walkSubtask(subtask, visitor);
  }
}

function walkSubtask({ subtask, keyed, operator }: SubtaskState, visitor: CheckpointVisitor): void {
  const handles: Record<StateKind, number> = {
    managedOperator: operator === null ? 0 : 1,
    rawOperator: 0,
    managedKeyed: keyed === null ? 0 : 1,
    rawKeyed: 0,
    inputChannel: 0,
    resultSubpartition: 0,
  };
  if (operator !== null) visitor.stream?.(streamOf(operator, 'managedOperator'));
  if (keyed !== null) {
    for (const { keyGroup } of keyed.blocks) {
      const range = { first: keyGroup, count: 1, offsets: null, outermost: true, sparse: true };
      visitor.keyGroups?.({ ...range, state: 'managedKeyed', offset });
    }
    visitor.stream?.(streamOf(keyed.state, 'managedKeyed'));
  }
  const own = [operator, keyed?.state ?? null].filter((handle) => handle !== null);
  const stateSize = BigInt(own.reduce((sum, handle) => sum + stateBytesOf(handle), 0));
  visitor.subtask?.({ subtask, finished: false, handles, stateSize, offset });
}

function streamOf(handle: StateHandle, state: StateKind): StateStream {
  const common = { state, size: BigInt(stateBytesOf(handle)), start: 0n, exact: true, shared: false, offset };
  return handle.kind === 'inline'
    ? { ...common, place: 'inline', path: null, bytes: handle.bytes, crc: null }
    : { ...common, place: 'relative-file', path: handle.name, bytes: null, crc: handle.crc };
}
