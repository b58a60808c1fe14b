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

/** `RUNNING 12/20 tasks · late -> partial 4/8 (2 running)`: the whole, then what is at work now. */
export function renderProgress(state: JobState, vertices: readonly VertexProgress[], width: number): string {
  const total = vertices.reduce((sum, each) => sum + (each.parallelism ?? 0), 0);
  const finished = vertices.reduce((sum, each) => sum + each.finished, 0);
  const open = vertices.some((each) => each.parallelism === null) ? '+' : '';
  const atWork = vertices.filter((each) => each.running > 0);
  const parts = atWork.map((each) => `${each.name} ${each.finished}/${each.parallelism ?? '?'}`);
  const head = vertices.length === 0 ? state : `${state} ${finished}/${total}${open} tasks`;
  return cut([head, ...parts].join(' · '), Math.max(20, width - 4));
}
