// Looks at every state file that a checkpoint names: there, as long as it was recorded, and, where a checksum was recorded,
// with the bytes that were written. A file that several handles share is looked at once. Spec: docs/checkpoints.md, "validate".
import path from 'node:path';
import type { CheckpointMetadata, CheckpointVisitor, StateStream } from '../model/checkpoint.ts';
import { checksumOf } from '../store/checkpoint/state-checksum.ts';
import { lookAtFile, movedTo, type PathMap, placeOf, relativePlace } from '../store/checkpoint/state-places.ts';
import { type NamedStateFile, StateFileList } from './checkpoint-file-list.ts';
import type { CheckpointFindings } from './checkpoint-findings.ts';
import type { CheckpointFinding } from './checkpoint-validate-report.ts';

/**
 * Different files of one checkpoint; more are not looked at, and that is said. Flink's names are UUIDs: a reference to a file
 * takes 47 bytes at least.
 */
const filesFloor = 10_000;
const bytesPerFileMin = 47;
const atOnce = 64;

export class StateFileCheck {
  looked = 0;
  lookedBytes = 0n;
  /** Files whose bytes were read and held against their checksum. */
  checksums = 0;
  unreachable = 0;
  readonly #metadata: CheckpointMetadata;
  readonly #findings: CheckpointFindings;
  readonly #maps: readonly PathMap[];
  readonly #files: StateFileList;

  constructor(metadata: CheckpointMetadata, findings: CheckpointFindings, maps: readonly PathMap[]) {
    this.#metadata = metadata;
    this.#findings = findings;
    this.#maps = maps;
    const filesMax = Math.max(filesFloor, Math.floor(metadata.bytes / bytesPerFileMin));
    this.#files = new StateFileList(filesMax, metadata.bytes);
  }

  visitor(): Pick<CheckpointVisitor, 'stream'> {
    return { stream: (stream) => this.#name(stream) };
  }

  /** Looks at all that the walk named. */
  async look(): Promise<void> {
    const remote = new Map<string, { first: NamedStateFile; files: number }>();
    let batch: Promise<CheckpointFinding | null>[] = [];
    for (const named of this.#files) {
      const place = named.isRelative
        ? relativePlace(this.#metadata.folder, named.name)
        : placeOf(named.name, this.#maps);
      if (place.kind === 'local') batch.push(this.#lookAt(place.file, named));
      else {
        const known = remote.get(place.root);
        remote.set(place.root, { first: known?.first ?? named, files: (known?.files ?? 0) + 1 });
      }
      if (batch.length < atOnce) continue;
      this.#addAll(await Promise.all(batch));
      batch = [];
    }
    this.#addAll(await Promise.all(batch));
    for (const [root, { first, files }] of remote) this.#tellUnreachable(root, first, files);
    this.#tellUnchecked();
  }

  #addAll(findings: readonly (CheckpointFinding | null)[]): void {
    for (const finding of findings) if (finding !== null) this.#findings.add(finding);
  }

  #name({ place, path: name, start, size, exact, crc, offset }: StateStream): void {
    if (name === null || name === '') return;
    const isExact = exact && place !== 'segment' && size >= 0n;
    this.#files.add({
      name,
      isRelative: place === 'relative-file',
      offset,
      exact: isExact ? Number(size) : null,
      least: Number(start) + Math.max(0, Number(size)),
      crc,
    });
  }

  async #lookAt(file: string, named: NamedStateFile): Promise<CheckpointFinding | null> {
    const look = await lookAtFile(file);
    if (look.kind === 'missing') return this.#missing(file, named);
    if (look.kind === 'unreadable') return unreadable(file, named, look.reason);
    this.looked += 1;
    this.lookedBytes += look.bytes;
    return lengthFinding(file, named, Number(look.bytes)) ?? this.#checksumFinding(file, named);
  }

  async #checksumFinding(file: string, named: NamedStateFile): Promise<CheckpointFinding | null> {
    if (named.crc === null) return null;
    const read = await checksumOf(file);
    if (read.kind === 'unreadable') return unreadable(file, named, read.reason);
    this.checksums += 1;
    if (read.crc === named.crc) return null;
    const message = `a state file has the CRC-32 ${hex(read.crc)}, ${hex(named.crc)} was written: its bytes have changed`;
    return { code: 'STATE_FILE_CHECKSUM', severity: 'error', file, offset: named.offset, message };
  }

  async #missing(file: string, named: NamedStateFile): Promise<CheckpointFinding> {
    const { offset, name, isRelative, least } = named;
    const elsewhere = isRelative ? null : await movedTo(this.#metadata.folder, name, least);
    if (elsewhere === null) {
      const isMoved = !isRelative && (await lookAtFile(path.dirname(file))).kind === 'missing';
      const hint = isMoved ? `; nor is its folder there: ${checkCopy(name, 'FOLDER')}` : '';
      const message = `a state file of ${least} bytes is missing${hint}`;
      return { code: 'STATE_FILE_MISSING', severity: 'error', file, offset, message };
    }
    const where = `one of its name lies in ${elsewhere}: ${checkCopy(name, elsewhere)}`;
    const message = `a state file is not where it was written, and where Flink looks for it; ${where}`;
    return { code: 'STATE_FILE_MOVED', severity: 'error', file, offset, message };
  }

  /** One finding for all files of a file system. */
  #tellUnreachable(root: string, { name, offset }: NamedStateFile, files: number): void {
    this.unreachable += files;
    const which = files === 1 ? 'a state file' : `${files} state files`;
    const message = `${which} at ${root} cannot be looked at from here; with a copy of them: --path-map ${root}=FOLDER`;
    this.#findings.add({ code: 'STATE_FILE_UNREACHABLE', severity: 'warning', file: name, offset, message });
  }

  #tellUnchecked(): void {
    const { omitted, filesMax } = this.#files;
    if (omitted === 0) return;
    const message = `more than ${filesMax} state files: ${omitted} references were not followed`;
    const { file } = this.#metadata;
    this.#findings.add({ code: 'STATE_FILES_UNCHECKED', severity: 'warning', file, offset: 0, message });
  }
}

function checkCopy(recorded: string, folder: string): string {
  return `a copy is checked with --path-map ${path.posix.dirname(recorded)}=${folder}`;
}

function unreadable(file: string, { offset }: NamedStateFile, reason: string): CheckpointFinding {
  const message = `a state file cannot be looked at: ${reason}`;
  return { code: 'STATE_FILE_UNREADABLE', severity: 'error', file, offset, message };
}

function lengthFinding(file: string, named: NamedStateFile, bytes: number): CheckpointFinding | null {
  const { exact, least, offset } = named;
  if (bytes < least) {
    const message = `a state file has ${bytes} bytes, ${least} were written`;
    return { code: 'STATE_FILE_LENGTH', severity: 'error', file, offset, message };
  }
  if (exact === null || bytes === exact) return null;
  const message = `a state file has ${bytes} bytes, ${exact} were written: something was added`;
  return { code: 'STATE_FILE_LENGTH', severity: 'warning', file, offset, message };
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, '0');
}
