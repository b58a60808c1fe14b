// What the TaskManager's main thread and a slot's thread say to each other. One program on both sides: no validation.
import type { FoundSplit } from '../../model/job-graph.ts';
import type { TaskDeployment, TaskFailure, TaskResult } from '../protocol/messages.ts';

export interface SlotSetup {
  readonly workerFolder: string;
  /** Index of the slot in its worker: names its temp folder. */
  readonly slot: number;
  readonly memoryBytes: number;
}

export type ToSlot =
  | { readonly type: 'run'; readonly deployment: TaskDeployment }
  | { readonly type: 'cancel' }
  /** The JobMaster's answer to the running attempt's request. */
  | { readonly type: 'split'; readonly input: number; readonly split: FoundSplit | null };

/** `ready`: the thread's database is open; from then on its end is a task's doing. */
export type FromSlot =
  | { readonly type: 'ready' }
  /** The running attempt asks for its next split. */
  | { readonly type: 'split-request'; readonly input: number }
  | TaskOutcome;

export type TaskOutcome =
  | { readonly type: 'finished'; readonly result: TaskResult }
  | { readonly type: 'failed'; readonly failure: TaskFailure };
