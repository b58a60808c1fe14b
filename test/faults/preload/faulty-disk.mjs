// Preloaded into every process of a job (NODE_OPTIONS=--import): each sync of a JobMaster takes $JOBREC_TEST_SYNC_MS
// longer, and its $JOBREC_TEST_EIO-th one fails with EIO, as do all that follow.
import { open } from 'node:fs/promises';

const delayMs = Number(process.env.JOBREC_TEST_SYNC_MS ?? 0);
const failsFrom = Number(process.env.JOBREC_TEST_EIO ?? 0);
const isMaster = process.argv[1]?.endsWith('job-master.js') ?? false;
let syncs = 0;

const handle = await open('/dev/null', 'r');
const prototype = Object.getPrototypeOf(handle);
await handle.close();

for (const name of ['sync', 'datasync']) {
  const real = prototype[name];
  prototype[name] = async function faulty() {
    syncs += 1;
    if (isMaster && delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
    if (isMaster && failsFrom > 0 && syncs >= failsFrom) {
      throw Object.assign(new Error(`EIO: i/o error, ${name}`), { code: 'EIO', errno: -5, syscall: name });
    }
    return real.call(this);
  };
}
