// Runs one compaction in a process of its own, which kills itself (SIGKILL) before the disk operation that it is told: the
// crash of the test. Arguments: the store's folder, the number of the operation (1: the first). Prints the operations.
import { writeSync } from 'node:fs';
import { compactStore } from '../../src/services/compact.ts';
import { FaultyStorage, type Operation } from '../store/faulty-storage.ts';

const [folder = '', killAt = '0'] = process.argv.slice(2);
let operations = 0;

function before(operation: Operation): null {
  operations += 1;
  if (operations !== Number(killAt)) return null;
  writeSync(1, `${operation}\n`);
  process.kill(process.pid, 'SIGKILL');
  // The signal takes effect before another line of this thread runs on Linux; elsewhere this waits for it.
  for (;;);
}

await compactStore({ location: folder, dryRun: false, storage: new FaultyStorage(before) });
writeSync(1, `done ${operations}\n`);
