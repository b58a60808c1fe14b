// The lines of a run in progress: state changes, notices, and the one live line.
import type { JobState } from '../model/states.ts';
import type { VertexProgress } from '../services/run-report.ts';
import type { Style } from './style.ts';
import { cut } from './text.ts';

export function renderStatus(state: JobState, reason: string | null, style: Style): string {
  const dress =
    state === 'FINISHED' ? style.good : state === 'RUNNING' || state === 'CREATED' ? style.title : style.warn;
  return reason === null ? dress(state) : `${dress(state)}: ${reason}`;
}

export function renderNotice(message: string, style: Style): string {
  return `${style.warn('note')}: ${message}`;
}

/** The live line, cut to the terminal. */
export function renderProgress(state: JobState, vertices: readonly VertexProgress[], width: number): string {
  const isStreaming = vertices.some(({ lastCheckpointId }) => lastCheckpointId !== undefined);
  const parts = isStreaming ? streamingParts(state, vertices) : batchParts(state, vertices);
  return cut(parts.join(' · '), Math.max(20, width - 4));
}

/** `RUNNING 4/4 tasks · checkpoint 9`: of a streaming job no task finishes before its end. */
function streamingParts(state: JobState, vertices: readonly VertexProgress[]): string[] {
  const total = vertices.reduce((sum, each) => sum + (each.parallelism ?? 0), 0);
  const running = vertices.reduce((sum, each) => sum + each.running, 0);
  const checkpointId = Math.max(...vertices.map(({ lastCheckpointId }) => lastCheckpointId ?? 0));
  const checkpoint = checkpointId === 0 ? 'no checkpoint yet' : `checkpoint ${checkpointId}`;
  return [`${state} ${running}/${total} tasks`, checkpoint];
}

/** `RUNNING 12/20 tasks · late -> partial 4/8`: how many have finished, then the vertices at work now. */
function batchParts(state: JobState, vertices: readonly VertexProgress[]): string[] {
  const total = vertices.reduce((sum, each) => sum + (each.parallelism ?? 0), 0);
  const finished = vertices.reduce((sum, each) => sum + each.finished, 0);
  const open = vertices.some((each) => each.parallelism === null) ? '+' : '';
  const atWork = vertices.filter((each) => each.running > 0);
  const parts = atWork.map((each) => `${each.name} ${each.finished}/${each.parallelism ?? '?'}`);
  const head = vertices.length === 0 ? state : `${state} ${finished}/${total}${open} tasks`;
  return [head, ...parts];
}
