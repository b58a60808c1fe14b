// Entry of the shuffle service's process. Arguments: job folder, service id, orphan timeout in milliseconds. Its log is
// its standard error.
import { messageOf } from '../../model/errors.ts';
import { jobFolderAt, shuffleServiceFolder } from '../../store/job-folder.ts';
import { claimWorkerFolder } from '../task-manager/worker-claim.ts';
import { ShuffleService } from './shuffle-service.ts';

function end(code: number, reason: string): never {
  process.stderr.write(`${new Date().toISOString()} shuffle service: ${reason}\n`);
  process.exit(code);
}

async function main(): Promise<void> {
  const [root = '', serviceId = '', orphanTimeoutMs = '60000'] = process.argv.slice(2);
  const folder = jobFolderAt(root);
  const claim = await claimWorkerFolder(shuffleServiceFolder(folder, serviceId), serviceId);
  const stopAndEnd = (reason: string) => void service.stop().finally(() => end(0, reason));
  const service = new ShuffleService({
    folder,
    serviceId,
    claim,
    orphanTimeoutMs: Number(orphanTimeoutMs),
    onEnd: stopAndEnd,
    onReplaced: (reason) => end(1, reason),
  });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.once(signal, () => stopAndEnd(`received ${signal}`));
  }
  process.on('uncaughtException', (error) => end(1, messageOf(error)));
  service.start();
}

await main().catch((error) => end(1, messageOf(error)));
