// Tells a disk that is full, read-only or failing from a fault of the job: nothing is gained by trying the task again,
// and nothing is wrong with it. By Node's error code, or by the text that the operating system gives to DuckDB.
import { messageOf } from '../../model/errors.ts';
import { hasDiskCode } from '../../store/disk-error.ts';

const duckDbMessage =
  /\b(IO|Out of Memory) Error:.*(No space left on device|Disk quota exceeded|Read-only file system|Input\/output error)/s;
const causesMax = 8;

export function isDiskError(error: unknown): boolean {
  let cause = error;
  for (let depth = 0; depth < causesMax && cause instanceof Error; depth += 1) {
    if (hasDiskCode(cause) || duckDbMessage.test(messageOf(cause))) return true;
    cause = cause.cause;
  }
  return false;
}
