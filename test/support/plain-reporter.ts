// Prints `N passed, N failed` (and `, N skipped`) alone on the last line of a test run, for scripts and for people.
// A file that cannot be loaded and an error outside any test count as failed, so that the line never says "0 failed"
// when the run fails.
import { writeSync } from 'node:fs';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';

// vitest loads reporters by their default export.
// biome-ignore lint/style/noDefaultExport: see above
export default class PlainReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>, errors: ReadonlyArray<SerializedError>): void {
    const states = modules.flatMap((module) => [...module.children.allTests()].map((test) => test.result().state));
    const count = (wanted: string) => states.filter((state) => state === wanted).length;
    const broken = modules.map(errorsOutsideTests).reduce((sum, each) => sum + each, 0) + errors.length;
    const skipped = count('skipped') + count('pending');
    const line = `${count('passed')} passed, ${count('failed') + broken} failed`;
    // At exit, behind everything that the other reporters still print.
    process.once('exit', () => writeSync(1, `${line}${skipped === 0 ? '' : `, ${skipped} skipped`}\n`));
  }
}

/** Of the file itself (it cannot be loaded) and of its suites (a failed hook). */
function errorsOutsideTests(module: TestModule): number {
  const suites = [...module.children.allSuites()];
  return module.errors().length + suites.filter((suite) => suite.errors().length > 0).length;
}
