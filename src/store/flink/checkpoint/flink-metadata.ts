// Flink's format behind the seam of store/checkpoint/read-checkpoint.ts: recognised by its magic, refused by its version,
// walked on demand. Errors: FORMAT_TOO_NEW, FORMAT_TOO_OLD, CHECKPOINT_DAMAGED. Spec: docs/checkpoints.md.
import type { CheckpointMetadata } from '../../../model/checkpoint.ts';
import { JobrecError } from '../../../model/errors.ts';
import type { CheckpointFormat, MetadataFile } from '../../checkpoint/checkpoint-format.ts';
import { damagedCheckpoint } from '../../checkpoint/checkpoint-format.ts';
import { kafkaSourcesOf } from './kafka-sources.ts';
import { MetadataFault } from './metadata-cursor.ts';
import {
  channelLayoutOf,
  flinkMetadataMagic,
  newestMetadataVersion,
  oldestMetadataVersion,
  walkFlinkMetadata,
} from './metadata-walk.ts';

export const flinkCheckpointFormat: CheckpointFormat = {
  name: 'flink',
  recognises: (bytes) => bytes.length >= 4 && bytes.readInt32BE(0) === flinkMetadataMagic,
  open: openFlinkMetadata,
};

function openFlinkMetadata(metadata: MetadataFile): CheckpointMetadata {
  const { file, bytes } = metadata;
  if (bytes.length < 8) throw damagedCheckpoint(file, 4, 'the file ends behind its magic number');
  const formatVersion = bytes.readInt32BE(4);
  if (formatVersion < oldestMetadataVersion || formatVersion > newestMetadataVersion) {
    throw versionError(file, formatVersion);
  }
  const layout = channelLayoutOf(bytes);
  const walk: CheckpointMetadata['walk'] = (visitor) => {
    try {
      walkFlinkMetadata(bytes, visitor, layout);
    } catch (error) {
      if (!(error instanceof MetadataFault)) throw error;
      throw damagedCheckpoint(file, error.offset, error.message);
    }
  };
  return {
    format: 'flink',
    formatVersion,
    folder: metadata.folder,
    file,
    bytes: bytes.length,
    walk,
    kafkaSources: (readState) => kafkaSourcesOf(walk, readState),
  };
}

function versionError(file: string, version: number): JobrecError {
  const supported = `${oldestMetadataVersion} to ${newestMetadataVersion}`;
  const isOld = version < oldestMetadataVersion;
  return new JobrecError(
    isOld ? 'FORMAT_TOO_OLD' : 'FORMAT_TOO_NEW',
    `${file} has Flink's metadata version ${version}; this jobrec reads ${supported}`,
    {
      data: { path: file, formatVersion: version, supported },
      hint: isOld ? 'Flink 1.2 and older wrote it' : 'a newer Flink wrote it, or byte 4 to 7 are damaged',
    },
  );
}
