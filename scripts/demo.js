// `npm run demo`: the flights job, killed half-way and recovered. The story is scripts/demo/main.ts.
import { runBundled } from './run-bundled.js';

await runBundled('scripts/demo/main.ts');
