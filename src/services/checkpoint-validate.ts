// checkpoint validate: what the metadata says, held against itself, and every state file that it names, held against the
// disk. Reads only. Errors: CHECKPOINT_DAMAGED where the metadata ends or stops making sense. Spec: docs/commands.md.
import type { CheckpointVisitor } from '../model/checkpoint.ts';
import { readCheckpoint, requireStateFilesOf } from '../store/checkpoint/read-checkpoint.ts';
import type { PathMap } from '../store/checkpoint/state-places.ts';
import { CheckpointFindings } from './checkpoint-findings.ts';
import { StateFileCheck } from './checkpoint-state-files.ts';
import { StructureCheck } from './checkpoint-structure.ts';
import type { CheckpointValidateReport } from './checkpoint-validate-report.ts';

export interface CheckpointValidateOptions {
  readonly location: string;
  readonly pathMaps: readonly PathMap[];
}

export async function validateCheckpoint(options: CheckpointValidateOptions): Promise<CheckpointValidateReport> {
  requireStateFilesOf(options.location, 'checkpoint validate');
  const metadata = await readCheckpoint(options.location);
  const findings = new CheckpointFindings();
  const structure = new StructureCheck(metadata, findings);
  const files = new StateFileCheck(metadata, findings, options.pathMaps);
  metadata.walk(both(structure.visitor(), files.visitor()));
  await files.look();
  return {
    ok: findings.isSound,
    format: metadata.format,
    formatVersion: metadata.formatVersion,
    checkpointId: structure.checkpointId,
    location: metadata.file,
    findings: findings.list,
    findingsOmitted: findings.omitted,
    checked: {
      operators: structure.operators,
      subtasks: structure.subtasks,
      stateFiles: files.looked,
      stateFileBytes: files.lookedBytes,
      checksums: files.checksums,
      unreachable: files.unreachable,
    },
  };
}

function both(structure: CheckpointVisitor, files: Pick<CheckpointVisitor, 'stream'>): CheckpointVisitor {
  return {
    ...structure,
    stream: (stream) => {
      structure.stream?.(stream);
      files.stream?.(stream);
    },
  };
}
