// `npm run word-count [-- --kafka HOST:PORT]`: the streaming example, fed and checked. The story is scripts/word-count/main.ts.
import { runBundled } from './run-bundled.js';

await runBundled('scripts/word-count/main.ts');
