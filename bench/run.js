// `npm run bench [-- part…]`: see bench/README.md.
import { runBundled } from '../scripts/run-bundled.js';

await runBundled('bench/main.ts', 'bench/store-child.ts', 'bench/flink-read-child.ts', 'bench/raw-duckdb.ts');
