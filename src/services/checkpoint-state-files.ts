// Looks at every state file that a checkpoint names: there, and as long as it was recorded. A file that several handles share
// is looked at once. Spec: docs/checkpoints.md, "validate".
import type { CheckpointMetadata, CheckpointVisitor, StateStream } from '../model/checkpoint.ts';
import { lookAtFile, movedTo, type PathMap, placeOf, relativePlace } from '../store/checkpoint/state-places.ts';
import type { CheckpointFindings } from './checkpoint-findings.ts';
import type { CheckpointFinding } from './checkpoint-validate-report.ts';

/** Different files of one checkpoint; more are not looked at, and that is said. */
const filesMax = 1_000_000;
const atOnce = 64;

interface NamedFile {
  readonly recorded: string;
  readonly isRelative: boolean;
  /** First place in the metadata that names it. */
  readonly offset: number;
  /** Its length as recorded; null where only segments of it are. */
  exact: bigint | null;
  /** Bytes that must be there. */
  least: bigint;
}

export class StateFileCheck {
  looked = 0;
  lookedBytes = 0n;
  unreachable = 0;
  readonly #metadata: CheckpointMetadata;
  readonly #findings: CheckpointFindings;
  readonly #maps: readonly PathMap[];
  readonly #files = new Map<string, NamedFile>();
  #unchecked = 0;

  constructor(metadata: CheckpointMetadata, findings: CheckpointFindings, maps: readonly PathMap[]) {
    this.#metadata = metadata;
    this.#findings = findings;
    this.#maps = maps;
  }

  visitor(): Pick<CheckpointVisitor, 'stream'> {
    return { stream: (stream) => this.#name(stream) };
  }

  /** Looks at all that the walk named. */
  async look(): Promise<void> {
    const remote = new Map<string, NamedFile & { files: number }>();
    const local: [file: string, named: NamedFile][] = [];
    for (const named of this.#files.values()) {
      const place = named.isRelative
        ? relativePlace(this.#metadata.folder, named.recorded)
        : placeOf(named.recorded, this.#maps);
      if (place.kind === 'local') local.push([place.file, named]);
      else
        remote.set(place.root, {
          ...named,
          ...remote.get(place.root),
          files: (remote.get(place.root)?.files ?? 0) + 1,
        });
    }
    for (let from = 0; from < local.length; from += atOnce) {
      const batch = local.slice(from, from + atOnce);
      const found = await Promise.all(batch.map(([file, named]) => this.#lookAt(file, named)));
      for (const finding of found) if (finding !== null) this.#findings.add(finding);
    }
    for (const [root, named] of remote) this.#tellUnreachable(root, named);
    this.#tellUnchecked();
  }

  #name({ place, path, start, size, exact, offset }: StateStream): void {
    if (path === null || path === '') return;
    const isRelative = place === 'relative-file';
    const key = `${isRelative ? '.' : ''}${path}`;
    const known = this.#files.get(key);
    if (known === undefined && this.#files.size >= filesMax) {
      this.#unchecked += 1;
      return;
    }
    const named = known ?? { recorded: path, isRelative, offset, exact: null, least: 0n };
    const end = start + (size < 0n ? 0n : size);
    if (end > named.least) named.least = end;
    if (exact && place !== 'segment' && size >= 0n) named.exact = size;
    this.#files.set(key, named);
  }

  async #lookAt(file: string, named: NamedFile): Promise<CheckpointFinding | null> {
    const look = await lookAtFile(file);
    if (look.kind === 'missing') return this.#missing(file, named);
    const { offset } = named;
    if (look.kind === 'unreadable') {
      const message = `a state file cannot be looked at: ${look.reason}`;
      return { code: 'STATE_FILE_UNREADABLE', severity: 'error', file, offset, message };
    }
    this.looked += 1;
    this.lookedBytes += look.bytes;
    if (look.bytes < named.least) {
      const message = `a state file has ${look.bytes} bytes, ${named.least} were written`;
      return { code: 'STATE_FILE_LENGTH', severity: 'error', file, offset, message };
    }
    if (named.exact === null || look.bytes === named.exact) return null;
    const message = `a state file has ${look.bytes} bytes, ${named.exact} were written: something was added`;
    return { code: 'STATE_FILE_LENGTH', severity: 'warning', file, offset, message };
  }

  async #missing(file: string, named: NamedFile): Promise<CheckpointFinding> {
    const { offset, recorded, isRelative, least } = named;
    const elsewhere = isRelative ? null : await movedTo(this.#metadata.folder, recorded, least);
    if (elsewhere === null) {
      const message = `a state file of ${least} bytes is missing`;
      return { code: 'STATE_FILE_MISSING', severity: 'error', file, offset, message };
    }
    const message = `a state file is not where it was written, and where Flink looks for it; one of its name lies in ${elsewhere}`;
    return { code: 'STATE_FILE_MOVED', severity: 'error', file, offset, message };
  }

  /** One finding for all files of a file system. */
  #tellUnreachable(root: string, { recorded, offset, files }: NamedFile & { readonly files: number }): void {
    this.unreachable += files;
    const which = files === 1 ? 'a state file' : `${files} state files`;
    const message = `${which} at ${root} cannot be looked at from here; with a copy of them: --path-map ${root}=FOLDER`;
    this.#findings.add({ code: 'STATE_FILE_UNREACHABLE', severity: 'warning', file: recorded, offset, message });
  }

  #tellUnchecked(): void {
    if (this.#unchecked === 0) return;
    const message = `more than ${filesMax} state files: ${this.#unchecked} references were not followed`;
    this.#findings.add({
      code: 'STATE_FILES_UNCHECKED',
      severity: 'warning',
      file: this.#metadata.file,
      offset: 0,
      message,
    });
  }
}
