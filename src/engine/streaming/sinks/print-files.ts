// The files of the print sinks, in the job's logs folder: written by their tasks, followed by the client.

/** `print-<sink>-<subtask>.jsonl` */
export function printFileName(sink: string, subtask: number): string {
  return `print-${encodeURIComponent(sink)}-${subtask}.jsonl`;
}
