// Plans the stages one by one, producers first: parses and binds SQL over the known columns of its inputs, chooses or
// checks exchanges, fixes parallelism. Everything that is wrong with a stage is found here, with its place in the file.
import type { DuckDBConnection } from '@duckdb/node-api';
import type { JobrecError } from '../model/errors.ts';
import type { Column, SourceSpec } from '../model/job-graph.ts';
import { nearestName, nearestNameHint } from '../model/nearest-name.ts';
import type { Options } from '../model/options.ts';
import { statedColumns } from './column-types.ts';
import { hashKeysOf } from './exchanges/arrivals.ts';
import { chooseExchanges, type ExchangeDecision } from './exchanges/choose-exchanges.ts';
import type { ChosenExchange, PlanInput } from './exchanges/stage-plan.ts';
import type { BundledFunction } from './functions/bundle-functions.ts';
import type { PlannedStage } from './graph/planned-stage.ts';
import { inputsOf, type StageInputEntry } from './job-file/check-job.ts';
import type { Places } from './job-file/places.ts';
import type { JobFile, StageEntry } from './job-file/schema.ts';
import { naturalParallelism } from './parallelism.ts';
import type { ArrivalKey } from './sql-analysis/context.ts';
import { bindSql } from './stage-sql.ts';

export interface StagePlanning {
  readonly connection: DuckDBConnection;
  readonly job: JobFile;
  readonly places: Places;
  readonly sources: readonly SourceSpec[];
  readonly options: Options;
  readonly totalSlots: number;
  readonly bundledFunction: (stage: string) => Promise<BundledFunction>;
}

/** What is known of a source or a planned stage by those that read it. */
export interface Producer {
  readonly columns: readonly Column[] | null;
  readonly bytes: number;
  readonly keys: readonly ArrivalKey[];
  /** Number of tasks; null: decided at run time. */
  readonly parallelism: number | null;
  readonly isSource: boolean;
}

/** The stages in the given order, planned. `warnings` gets what a user should look at. */
export async function planStages(
  planning: StagePlanning,
  order: readonly string[],
  sourceParallelism: (source: SourceSpec) => number,
  warnings: string[],
): Promise<PlannedStage[]> {
  const producers = new Map<string, Producer>();
  for (const source of planning.sources) producers.set(source.name, sourceProducer(source, sourceParallelism(source)));
  const planned: PlannedStage[] = [];
  for (const name of order) {
    const entry = planning.job.stages?.[name] ?? {};
    const inputs = inputsOf(entry).map((input) => planInput(planning, name, input, producers));
    const plan = entry.sql === undefined ? planMapStage : planSqlStage;
    const stage = await plan(planning, { name, entry, inputs, producers, warnings });
    planned.push(stage.planned);
    producers.set(name, stage.producer);
  }
  return planned;
}

function sourceProducer(source: SourceSpec, parallelism: number): Producer {
  const known = source.files.reduce((sum, file) => sum + file.bytes, 0);
  // What an enumerator will find is not known: it is never taken for small.
  const bytes = source.enumerator === undefined ? known : Number.POSITIVE_INFINITY;
  return { columns: source.columns, bytes, keys: [], parallelism, isSource: true };
}

interface StageRequest {
  readonly name: string;
  readonly entry: StageEntry;
  readonly inputs: readonly PlanInput[];
  readonly producers: ReadonlyMap<string, Producer>;
  readonly warnings: string[];
}

interface StageResult {
  readonly planned: PlannedStage;
  readonly producer: Producer;
}

function planInput(
  planning: StagePlanning,
  stage: string,
  input: StageInputEntry,
  producers: ReadonlyMap<string, Producer>,
): PlanInput {
  const producer = producers.get(input.from);
  const columns = producer?.columns ?? null;
  return {
    alias: input.alias,
    from: input.from,
    fromKind: producer?.isSource === true ? 'source' : 'stage',
    columns,
    bytes: producer?.bytes ?? 0,
    keys: producer?.keys ?? [],
    stated: input.exchange,
    by: input.by.map((column) => hashColumn(planning.places, stage, input, column, columns)),
  };
}

/** The column as its producer spells it. */
function hashColumn(
  places: Places,
  stage: string,
  input: StageInputEntry,
  column: string,
  columns: readonly Column[] | null,
): string {
  if (columns === null) return column;
  const found = columns.find((each) => each.name.toLowerCase() === column.toLowerCase());
  if (found) return found.name;
  const names = columns.map((each) => each.name);
  throw places.error(
    'JOB_FILE_INVALID',
    ['stages', stage, 'inputs', input.alias, 'by'],
    `${input.from} has no column ${column}`,
    {
      hint: nearestNameHint(column, names),
      data: { nearest: nearestName(column, names) },
    },
  );
}

async function planSqlStage(planning: StagePlanning, request: StageRequest): Promise<StageResult> {
  const { name, entry, inputs } = request;
  const sql = await bindSql(planning.connection, {
    stage: name,
    sql: entry.sql ?? '',
    inputs,
    places: planning.places,
  });
  const decision = chooseExchanges({
    stage: name,
    query: sql.query,
    inputs,
    perTask: entry.perTask === true,
    parallelism: entry.parallelism ?? null,
    followsSingleTask: followsSingleTask(request),
    broadcastBytesMax: planning.options.broadcastThresholdBytes,
  });
  checkDecision(planning, request, decision);
  const parallelism = naturalParallelism(request, decision.exchanges, planning);
  const planned: PlannedStage = {
    name,
    work: { kind: 'sql', sql: entry.sql ?? '' },
    inputs,
    exchanges: decision.exchanges,
    usedColumns: decision.analysis.usedColumns,
    columns: sql.columns,
    parallelism,
    mayChain: entry.chain !== false,
  };
  const keys = decision.isSingleTask ? [] : decision.analysis.outputKeys;
  return { planned, producer: stageProducer(planned, keys) };
}

function stageProducer(stage: PlannedStage, keys: readonly ArrivalKey[]): Producer {
  const bytes = stage.inputs.reduce((sum, input) => sum + input.bytes, 0);
  return { columns: stage.columns, bytes, keys, parallelism: stage.parallelism, isSource: false };
}

/** All inputs that may be forwarded come from stages that are known to be one task. */
function followsSingleTask({ inputs, producers }: StageRequest): boolean {
  const divided = inputs.filter((input) => input.stated !== 'broadcast');
  return divided.every((input) => {
    const producer = producers.get(input.from);
    return producer !== undefined && !producer.isSource && producer.parallelism === 1;
  });
}

function checkDecision(planning: StagePlanning, request: StageRequest, decision: ExchangeDecision): void {
  for (const { alias } of request.inputs) {
    if (!decision.analysis.inputsRead.has(alias))
      request.warnings.push(`stage ${request.name} does not read its input ${alias}`);
  }
  if (decision.refusal !== null) throw refused(planning, request, decision.refusal);
}

/** Points at the exchange that was stated, or at the parallelism that leaves no other choice. */
function refused({ places }: StagePlanning, { name, inputs, entry }: StageRequest, reason: string): JobrecError {
  const stated =
    inputs.find((input) => input.stated !== null && input.stated !== 'broadcast') ??
    inputs.find((input) => input.stated !== null);
  const path = stated
    ? ['stages', name, 'inputs', stated.alias, 'exchange']
    : ['stages', name, entry.parallelism === undefined ? 'sql' : 'parallelism'];
  const hint = stated
    ? 'leave exchange out to have it chosen; or say perTask: true if each task is to answer for its own share'
    : 'leave parallelism out; or say perTask: true if each task is to answer for its own share';
  const message = `stage ${name}: this would change the answer: ${reason}`;
  return places.error('EXCHANGE_REFUSED', path, message, { hint, data: { stage: name, reason } });
}

async function planMapStage(planning: StagePlanning, request: StageRequest): Promise<StageResult> {
  const { name, entry, inputs } = request;
  const { module, exportName } = await planning.bundledFunction(name);
  const path = ['stages', name, 'columns'];
  const columns = entry.columns ? await statedColumns(planning.connection, entry.columns, path, planning.places) : null;
  const exchanges = mapExchanges(inputs, entry);
  const planned: PlannedStage = {
    name,
    work: { kind: 'map', module: module.fileName, exportName },
    inputs,
    exchanges,
    usedColumns: new Map(),
    columns,
    parallelism: naturalParallelism(request, exchanges, planning),
    mayChain: entry.chain !== false,
  };
  return { planned, producer: stageProducer(planned, []) };
}

/** A function sees one row after the other of whatever share its task has: every exchange is right. */
function mapExchanges(inputs: readonly PlanInput[], entry: StageEntry): ChosenExchange[] {
  const tried = inputs.map((input) => ({ exchange: input.stated ?? ('forward' as const), by: input.by }));
  const keys = hashKeysOf(inputs, tried);
  return tried.map(({ exchange }, index) => {
    const why = inputs[index]?.stated ? 'stated in the job file' : `${entry.map ?? 'a function'} takes rows one by one`;
    return { exchange, by: keys[index] ?? [], why };
  });
}
