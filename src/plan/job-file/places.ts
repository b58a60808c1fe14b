// Where things stand in the job file: every error of the planner names file, line and column through this.
import { type Document, isMap, isPair, isScalar, type LineCounter, type Node } from 'yaml';
import { type ErrorCode, JobrecError } from '../../model/errors.ts';

export type KeyPath = readonly (string | number)[];

export interface PlaceOptions {
  /** Point at the key itself rather than at its value. */
  readonly atKey?: boolean;
  /** Characters behind the beginning of the place. */
  readonly sourceOffset?: number;
  readonly hint?: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

export class Places {
  readonly file: string;
  private readonly document: Document.Parsed;
  private readonly lines: LineCounter;
  readonly text: string;

  constructor(file: string, text: string, document: Document.Parsed, lines: LineCounter) {
    this.file = file;
    this.text = text;
    this.document = document;
    this.lines = lines;
  }

  /** The error to throw for what stands at `path`: `job.yaml:4:18: <message>`. */
  error(code: ErrorCode, path: KeyPath, message: string, options: PlaceOptions = {}): JobrecError {
    const offset = options.sourceOffset ?? this.offsetOf(path, options.atKey === true);
    return this.errorAtOffset(code, offset, message, options);
  }

  errorAtOffset(code: ErrorCode, offset: number, message: string, options: PlaceOptions = {}): JobrecError {
    const { line, col } = this.lines.linePos(offset);
    const place = { file: this.file, line: Math.max(1, line), column: Math.max(1, col) };
    return new JobrecError(code, `${place.file}:${place.line}:${place.column}: ${message}`, {
      data: { ...place, ...options.data },
      ...(options.hint === undefined ? {} : { hint: options.hint }),
      ...(options.cause === undefined ? {} : { cause: options.cause }),
    });
  }

  /** The node at `path`; null where nothing stands there. */
  nodeAt(path: KeyPath): Node | null {
    const node = this.document.getIn(path, true);
    return isScalar(node) || isMap(node) || (typeof node === 'object' && node !== null) ? (node as Node) : null;
  }

  /** Offset of the value at `path`, or of its key; of the nearest thing around it where it is missing. */
  private offsetOf(path: KeyPath, atKey: boolean): number {
    if (path.length === 0) return this.document.contents?.range?.[0] ?? 0;
    const key = this.keyOffset(path);
    if (atKey && key !== null) return key;
    const start = this.nodeAt(path)?.range?.[0];
    return start ?? key ?? this.offsetOf(path.slice(0, -1), true);
  }

  private keyOffset(path: KeyPath): number | null {
    const parent = path.length === 1 ? this.document.contents : this.nodeAt(path.slice(0, -1));
    if (!isMap(parent)) return null;
    const wanted = String(path.at(-1));
    const pair = parent.items.find((item) => isPair(item) && isScalar(item.key) && String(item.key.value) === wanted);
    return isScalar(pair?.key) ? (pair.key.range?.[0] ?? null) : null;
  }
}
