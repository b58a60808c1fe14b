// The partition report that `diff --partitions` reads: `{"workers":[{"workerId","partitions":["<partitionId>"]}]}`, or
// one such worker a line (NDJSON). Unknown fields are left alone. Spec: docs/commands.md "diff".
import { readFile, stat } from 'node:fs/promises';
import * as v from 'valibot';
import { JobrecError, messageOf } from '../model/errors.ts';
import { type PartitionRef, parsePartitionId } from '../model/ids.ts';
import type { WorkerReport } from '../replay/survivors.ts';
import { readStandardInput, standardInput, standardInputName } from '../store/standard-input.ts';

const reportSizeBytesMax = 256 * 1024 * 1024;

const workerSchema = v.object({
  workerId: v.pipe(v.string(), v.nonEmpty()),
  partitions: v.array(v.string()),
});

const reportSchema = v.object({ workers: v.array(workerSchema) });

type Worker = v.InferOutput<typeof workerSchema>;

/** Reads the report from a file, or from stdin for `-`. Errors: REPORT_INVALID, naming file and line. */
export async function readPartitionReport(path: string): Promise<WorkerReport[]> {
  if (path === standardInput) return parsePartitionReport(await readStdin(), standardInputName);
  return parsePartitionReport(await readReportFile(path), path);
}

/** `source` names the text in errors. */
export function parsePartitionReport(text: string, source: string): WorkerReport[] {
  const whole = parseJson(text);
  const workers = whole === undefined ? parseLines(text, source) : parseDocument(whole, source);
  return workers.map((worker) => workerReport(worker, source));
}

function parseDocument(document: unknown, source: string): readonly Worker[] {
  const isWorker = typeof document === 'object' && document !== null && 'workerId' in document;
  return isWorker ? [check(workerSchema, document, source)] : check(reportSchema, document, source).workers;
}

function parseLines(text: string, source: string): readonly Worker[] {
  const lines = text.split('\n').map((line, index) => ({ line: line.trim(), place: `${source} line ${index + 1}` }));
  const filled = lines.filter(({ line }) => line !== '');
  if (filled.length === 0) throw invalid(source, 'is empty');
  return filled.map(({ line, place }) => {
    const value = parseJson(line);
    if (value === undefined) throw invalid(place, 'is not JSON');
    return check(workerSchema, value, place);
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function check<Schema extends v.GenericSchema>(schema: Schema, value: unknown, place: string): v.InferOutput<Schema> {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = v.getDotPath(issue);
  throw invalid(place, `${path === null ? '' : `${path}: `}${issue.message}`);
}

function workerReport(worker: Worker, source: string): WorkerReport {
  return { workerId: worker.workerId, partitions: worker.partitions.map((id) => partitionRef(id, worker, source)) };
}

function partitionRef(id: string, worker: Worker, source: string): PartitionRef {
  const ref = parsePartitionId(id);
  if (ref !== null) return ref;
  throw invalid(source, `worker ${worker.workerId}: "${id}" is no partition id`);
}

function invalid(place: string, what: string): JobrecError {
  const expected = 'expected {"workers":[{"workerId":"…","partitions":["<32 hex digits>#<index>[@<attempt>]"]}]}';
  return new JobrecError('REPORT_INVALID', `${place}: ${what}; ${expected}, or one worker a line`, {
    data: { source: place },
  });
}

async function readReportFile(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > reportSizeBytesMax) throw invalid(path, `is larger than ${reportSizeBytesMax} bytes`);
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof JobrecError) throw error;
    const message = `--partitions ${path}: ${messageOf(error)}`;
    throw new JobrecError('REPORT_INVALID', message, { data: { source: path }, cause: error });
  }
}

async function readStdin(): Promise<string> {
  const bytes = await readStandardInput(reportSizeBytesMax);
  if (bytes === null) throw invalid(standardInputName, `is larger than ${reportSizeBytesMax} bytes`);
  return bytes.toString('utf8');
}
