#!/usr/bin/env node
// Starts jobrec from dist/. The compile cache (Node >= 22) must be on before the first import to be of use.
import { existsSync } from 'node:fs';
import module from 'node:module';

module.enableCompileCache?.();
const main = new URL('../dist/main.js', import.meta.url);
if (existsSync(main)) {
  const { main: start } = await import(main.href);
  await start(process.argv.slice(2));
} else {
  process.stderr.write('jobrec is not built: dist/main.js is missing; run `npm run build` in the checkout\n');
  process.exitCode = 1;
}
