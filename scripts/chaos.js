// `npm run chaos`: seeded kills of real jobs. The harness is test/chaos/main.ts.
import { runBundled } from './run-bundled.js';

await runBundled('test/chaos/main.ts');
