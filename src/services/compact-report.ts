// What `compact` reports; printed as it is with --json. Spec: docs/commands.md "compact".

export interface CompactReport {
  readonly location: string;
  /** Whether the store was changed; false for a dry run, and where there is nothing to retire. */
  readonly applied: boolean;
  readonly needed: boolean;
  /** Why nothing is to be done, or what is. */
  readonly why: string;
  readonly before: StoreSize;
  /** Of a dry run: what it would be. */
  readonly after: StoreSize;
  /** Names of the segments that are no more; of a dry run: that would be. */
  readonly retired: readonly string[];
  /** That holds what was retired; `sequence`: the last event that it holds. null: the store holds no job. */
  readonly snapshot: { readonly name: string | null; readonly sequence: number; readonly bytes: number } | null;
}

/** Of all files of the store; `segments` is a number. */
export interface StoreSize {
  readonly bytes: number;
  readonly events: number;
  readonly segments: number;
}
