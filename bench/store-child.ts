// One side of the store's benchmark in a fresh process: `append <folder>` writes the events, each 100 acknowledged
// before the next; `replay <folder>` checks, decodes and folds them; `dump <file>` writes them for SQLite's
// side. Prints {"ms": …}, measured inside, so that neither side pays for starting its interpreter.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobEvent } from '../src/model/job-events.ts';
import { replay } from '../src/replay/replay.ts';
import { latestGenerationNumber, takeGeneration } from '../src/store/generation.ts';
import { openJobLog } from '../src/store/open-log.ts';
import { StoreWriter } from '../src/store/writer.ts';
import { eventsOfLargeJob } from './workload.ts';

const eventCount = 100_000;
const groupSize = 100;

async function append(root: string): Promise<number> {
  const events = eventsOfLargeJob(eventCount);
  const epochs = join(root, 'epochs');
  await takeGeneration(epochs, 0);
  const startedMs = performance.now();
  const writer = await StoreWriter.create({
    folder: join(root, 'job-events'),
    jobId: 'b'.repeat(32),
    epoch: 1,
    flushIntervalMs: 0,
    writeBufferSizeBytes: 1024 * 1024,
    // As the engine does it: a look for a later JobMaster behind every sync.
    isFenced: async () => (await latestGenerationNumber(epochs)) > 1,
  });
  for (let first = 0; first < events.length; first += groupSize) {
    await acknowledged(writer, events.slice(first, first + groupSize));
  }
  const tookMs = performance.now() - startedMs;
  await writer.close();
  return tookMs;
}

async function acknowledged(writer: StoreWriter, group: readonly JobEvent[]): Promise<void> {
  for (const event of group) writer.append(event);
  await writer.flush();
}

async function replayAll(root: string): Promise<number> {
  const startedMs = performance.now();
  const log = await openJobLog(join(root, 'job-events'));
  const { graph, last, findings } = await replay(log.records());
  const tookMs = performance.now() - startedMs;
  if (last?.sequence !== eventCount - 1 || findings.length > 0) throw new Error('the store did not hold all events');
  if (graph.vertices.size !== 100) throw new Error('the graph is not whole');
  return tookMs;
}

/** The same events for SQLite's side: one JSON object a line. */
async function dump(file: string): Promise<number> {
  const startedMs = performance.now();
  await writeFile(
    file,
    eventsOfLargeJob(eventCount)
      .map((event) => `${JSON.stringify(event)}\n`)
      .join(''),
  );
  return performance.now() - startedMs;
}

const [mode = '', target = ''] = process.argv.slice(2);
const modes: Readonly<Record<string, (target: string) => Promise<number>>> = { append, replay: replayAll, dump };
const run = modes[mode];
if (run === undefined) throw new Error(`store-child: ${mode}?`);
process.stdout.write(`${JSON.stringify({ ms: await run(target) })}\n`);
