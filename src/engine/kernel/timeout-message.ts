// Said by the kernel, and by the TaskManager for a thread that a function blocks: apart, so that the latter does not
// load DuckDB for it.

/** What an attempt says that took longer than `task.timeout`. */
export function timeoutMessage(timeoutMs: number): string {
  return `the attempt took longer than task.timeout (${timeoutMs / 1000} s)`;
}
