// What the schema cannot say about a streaming job file: names and references, what a stage does and what that needs,
// uids that are there once. Spec: docs/streaming.md, "The job file".
import type { StreamExchange } from '../../model/streaming-plan.ts';
import { checkInput, checkNames, checkSinksAndOrder, inputsOf, type StageInputEntry } from '../job-file/check-job.ts';
import type { Places } from '../job-file/places.ts';
import type { StreamJobFile, StreamStageEntry } from './schema.ts';

export const stageKinds = ['map', 'flatMap', 'filter', 'sum', 'reduce', 'process'] as const;
export type StageKind = (typeof stageKinds)[number];

const keyedKinds: readonly StageKind[] = ['sum', 'reduce', 'process'];
const windowedKinds: readonly StageKind[] = ['sum', 'reduce'];
const exchanges: readonly string[] = ['forward', 'hash', 'rebalance', 'broadcast'] satisfies StreamExchange[];

/** Checks all but functions and connectors; gives the stages' names, producers before consumers. Throws JOB_FILE_INVALID. */
export function checkStreamJob(job: StreamJobFile, places: Places): string[] {
  checkNames(job, places);
  for (const [name, stage] of Object.entries(job.stages ?? {})) checkStage(job, name, stage, places);
  checkUids(job, places);
  return checkSinksAndOrder(job, places);
}

/** The one thing that a checked stage does. */
export function kindOf(stage: StreamStageEntry): StageKind {
  return stageKinds.find((kind) => stage[kind] !== undefined) ?? 'map';
}

/** The fields that a stage is keyed by: its own `keyBy`, else `by` of a hash exchange. */
export function keyOf(stage: StreamStageEntry): readonly string[] {
  return stage.keyBy ?? inputsOf(stage).find((input) => input.by.length > 0)?.by ?? [];
}

export function isKeyed(stage: StreamStageEntry): boolean {
  return keyedKinds.includes(kindOf(stage));
}

function checkStage(job: StreamJobFile, name: string, stage: StreamStageEntry, places: Places): void {
  const fail = (part: string, message: string) =>
    places.error('JOB_FILE_INVALID', ['stages', name, part], message, { atKey: true });
  const given = stageKinds.filter((kind) => stage[kind] !== undefined);
  const [kind, second] = given;
  if (!kind) throw fail(name, `stage ${name} needs one of ${stageKinds.join(', ')}`);
  if (second) throw fail(second, `stage ${name} has ${given.join(' and ')}; it takes one`);
  const inputs = inputsOf(stage);
  if (inputs.length === 0) throw fail('inputs', `stage ${name} has no inputs`);
  for (const input of inputs) checkStageInput(job, name, stage, input, places);
  if (isKeyed(stage) && keyOf(stage).length === 0) throw fail('keyBy', `${kind} needs keyBy: the fields of the key`);
  if (!isKeyed(stage) && stage.keyBy) throw fail('keyBy', `keyBy belongs to ${keyedKinds.join(', ')}, not to ${kind}`);
  if (stage.window && !windowedKinds.includes(kind)) throw fail('window', `window belongs to sum and reduce`);
  if (stage.window && stage.window.tumbling <= 0) throw fail('window', 'a window must be longer than 0 ms');
}

function checkStageInput(
  job: StreamJobFile,
  name: string,
  stage: StreamStageEntry,
  input: StageInputEntry,
  places: Places,
): void {
  checkInput(job, name, input, places);
  const path = ['stages', name, 'inputs', input.alias];
  const fail = (part: string, message: string) => places.error('JOB_FILE_INVALID', [...path, part], message);
  if (input.exchange !== null && !exchanges.includes(input.exchange)) {
    throw fail('exchange', `a streaming job has the exchanges ${exchanges.join(', ')}, not ${input.exchange}`);
  }
  if (!isKeyed(stage)) return;
  if (input.exchange !== null && input.exchange !== 'hash') {
    throw fail('exchange', `stage ${name} is keyed: its rows move by hash, not by ${input.exchange}`);
  }
  if (input.by.length > 0 && JSON.stringify(input.by) !== JSON.stringify(keyOf(stage))) {
    throw fail('by', `by [${input.by.join(', ')}] is not the key of stage ${name}, [${keyOf(stage).join(', ')}]`);
  }
}

/** A uid is the address of state: two of one name would share it. */
function checkUids(job: StreamJobFile, places: Places): void {
  const seen = new Map<string, string>();
  for (const section of ['sources', 'stages', 'sinks'] as const) {
    for (const [name, entry] of Object.entries(job[section] ?? {})) {
      const uid = entry.uid ?? uidOf(section, name);
      const other = seen.get(uid);
      if (other !== undefined) {
        const path = [section, name, ...(entry.uid === undefined ? [] : ['uid'])];
        const message = `uid ${uid} is that of ${other}, too; a uid is the address of state and must be its own`;
        throw places.error('JOB_FILE_INVALID', path, message, { atKey: entry.uid === undefined, data: { uid } });
      }
      seen.set(uid, `${section.slice(0, -1)} ${name}`);
    }
  }
}

/** A name unless given; a sink may have the name of the stage that it writes. */
export function uidOf(section: 'sources' | 'stages' | 'sinks', name: string): string {
  return section === 'sinks' ? `sink: ${name}` : name;
}
