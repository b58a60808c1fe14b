// The exchanges of one SQL stage: stated ones are checked, missing ones chosen, so that the tasks' answers together are
// the SQL's answer over the whole inputs. Invariant: what is returned without a refusal has been held right by the
// analysis, runs in one task, or was asked for with `perTask`.

import { analyseStage, type StageAnalysis } from '../sql-analysis/analyse-stage.ts';
import type { Ast } from '../sql-analysis/ast.ts';
import { commonHashTypeOfAll } from '../sql-analysis/hash-type.ts';
import { hashKeysOf, stageInputs } from './arrivals.ts';
import { candidateExchanges } from './candidates.ts';
import { type ChosenExchange, columnTypeOf, type PlanInput, type TriedExchange } from './stage-plan.ts';

export interface ExchangeRequest {
  readonly stage: string;
  readonly query: Ast;
  readonly inputs: readonly PlanInput[];
  readonly perTask: boolean;
  /** Parallelism stated for the stage; null: open. */
  readonly parallelism: number | null;
  /** Whether forward inputs all come from stages of one task, so that this stage is one task too. */
  readonly followsSingleTask: boolean;
  readonly broadcastBytesMax: number;
}

export interface ExchangeDecision {
  /** Parallel to the inputs. */
  readonly exchanges: readonly ChosenExchange[];
  readonly analysis: StageAnalysis;
  /** Whether all of the stage's rows are in one task. */
  readonly isSingleTask: boolean;
  /** Why the exchanges would change the answer; null: they do not. */
  readonly refusal: string | null;
}

export function chooseExchanges(request: ExchangeRequest): ExchangeDecision {
  const openForward = request.inputs.map((input): TriedExchange => tried(input, 'forward'));
  const unkeyed = request.inputs.map((input) => ({ ...input, keys: [] }));
  const rowWise = analyse(request, unkeyed, openForward);
  const isOpen = request.inputs.some((input) => input.stated === null);
  if (!isOpen || request.perTask) return decide(request, openForward, rowWise);
  if (request.parallelism === 1) return decideForOneTask(request, openForward, rowWise);
  const found = candidateExchanges(request.inputs, rowWise, request.broadcastBytesMax).find((candidate) =>
    isRight(request, candidate, unkeyed),
  );
  return decide(request, found ?? gathered(request), rowWise);
}

function tried(input: PlanInput, open: TriedExchange['exchange']): TriedExchange {
  return { exchange: input.stated ?? open, by: input.by };
}

function gathered(request: ExchangeRequest): TriedExchange[] {
  return request.inputs.map((input) => tried(input, 'gather'));
}

function analyse(
  request: ExchangeRequest,
  inputs: readonly PlanInput[],
  exchanges: readonly TriedExchange[],
): StageAnalysis {
  return analyseStage(request.query, stageInputs(inputs, exchanges), request.stage);
}

/** Open inputs are tried without the keys that forward would keep: the choice follows from the stage's SQL alone. */
function isRight(
  request: ExchangeRequest,
  exchanges: readonly TriedExchange[],
  unkeyed: readonly PlanInput[],
): boolean {
  const inputs = request.inputs.map((input, index) => (input.stated === null ? (unkeyed[index] ?? input) : input));
  const hasOneTask = isSingleTask(request, exchanges) && exchanges.some((each) => each.exchange === 'gather');
  return hasOneTask || analyse(request, inputs, exchanges).reason === null;
}

/** A stage of one task reads its inputs as they come; it gathers them where its SQL is not row by row. */
function decideForOneTask(
  request: ExchangeRequest,
  forward: readonly TriedExchange[],
  rowWise: StageAnalysis,
): ExchangeDecision {
  return decide(request, rowWise.reason === null ? forward : gathered(request), rowWise);
}

function isSingleTask(request: ExchangeRequest, exchanges: readonly TriedExchange[]): boolean {
  if (request.parallelism !== null) return request.parallelism === 1;
  const divided = exchanges.filter((each) => each.exchange !== 'broadcast');
  if (divided.some((each) => each.exchange === 'gather') || divided.length === 0) return true;
  return request.followsSingleTask && divided.every((each) => each.exchange === 'forward');
}

function decide(
  request: ExchangeRequest,
  exchanges: readonly TriedExchange[],
  rowWise: StageAnalysis,
): ExchangeDecision {
  const analysis = analyse(request, request.inputs, exchanges);
  const isOneTask = isSingleTask(request, exchanges);
  const keys = hashKeysOf(request.inputs, exchanges);
  return {
    exchanges: exchanges.map(({ exchange }, index) => {
      const input = request.inputs[index];
      const by = keys[index] ?? [];
      return {
        exchange,
        by,
        why: input ? whyOf(request, input, { exchange, by: by.map((key) => key.column) }, rowWise) : '',
      };
    }),
    analysis,
    isSingleTask: isOneTask,
    refusal: refusalOf(request, exchanges, analysis, isOneTask),
  };
}

function refusalOf(
  request: ExchangeRequest,
  exchanges: readonly TriedExchange[],
  analysis: StageAnalysis,
  isOneTask: boolean,
): string | null {
  const isGathered = exchanges.some((each) => each.exchange === 'gather');
  if (isGathered && request.parallelism !== null && request.parallelism > 1) {
    return `gather means one task, but parallelism is ${request.parallelism} (${analysis.reason ?? 'its rows go to one task'})`;
  }
  if (request.perTask || isOneTask) return null;
  const types = mismatchedTypes(request.inputs, exchanges);
  return analysis.reason === null ? null : `${analysis.reason}${types === null ? '' : ` (${types})`}`;
}

/** Inputs hashed side by side whose types do not meet: the likeliest reason why a join is refused. */
function mismatchedTypes(inputs: readonly PlanInput[], exchanges: readonly TriedExchange[]): string | null {
  const hashed = inputs.flatMap((input, index) => {
    const { exchange, by } = exchanges[index] ?? { exchange: 'forward' as const, by: [] };
    return exchange === 'hash' ? [{ input, by }] : [];
  });
  const [first] = hashed;
  if (!first || hashed.length < 2 || hashed.some(({ by }) => by.length !== first.by.length)) return null;
  for (const [place] of first.by.entries()) {
    const sides = hashed.map(({ input, by }) => ({
      input,
      column: by[place] ?? '',
      type: columnTypeOf(input, by[place] ?? ''),
    }));
    if (commonHashTypeOfAll(sides.map((side) => side.type)) !== null) continue;
    return sides
      .map(({ input, column, type }) => `${input.alias}.${column} is ${type ?? 'of unknown type'}`)
      .join(', ');
  }
  return null;
}

function whyOf(request: ExchangeRequest, input: PlanInput, chosen: TriedExchange, rowWise: StageAnalysis): string {
  if (input.stated !== null) return 'stated in the job file';
  if (request.perTask) return "perTask: over each task's own share";
  switch (chosen.exchange) {
    case 'forward':
      return 'row by row: each task works on its own share';
    case 'broadcast':
      return `${input.from} is small (${formatBytes(input.bytes)}): each task gets all of it`;
    case 'hash':
      return `${clausesOf(rowWise)}: rows that belong together meet on one task`;
    default:
      return rowWise.reason ?? 'one task';
  }
}

function clausesOf(analysis: StageAnalysis): string {
  const clauses = new Set(analysis.requirements.map((requirement) => requirement.clause));
  if (analysis.joins.some((pairs) => pairs.length > 0)) clauses.add('equi-join');
  return [...clauses].join(', ') || 'hash';
}

function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  const value = bytes / 1000 ** power;
  return `${value >= 10 || power === 0 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}
