// A large hostile file costs at most four times its bytes above the process's own baseline, whatever its one frame holds.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { openFlinkLog } from '../../../src/store/flink/flink-log.ts';
import { captures } from './captures.ts';
import { arrayOf, classDescriptor, int, nullValue, objectOf, reference, stream, text } from './java-bytes.ts';

const bytesWanted = 48 * 1024 * 1024;
const objects = classDescriptor('[Ljava.lang.Object;', []);
const initialized = 'org.apache.flink.runtime.jobmaster.event.ExecutionJobVertexInitializedEvent';

function filledWith(item: Buffer, head: Buffer = Buffer.alloc(0)): Buffer {
  const count = Math.floor(bytesWanted / item.length);
  const items = Buffer.alloc(count * item.length, item);
  return stream(Buffer.concat([arrayOf(objects, count + (head.length > 0 ? 1 : 0)), head, items]));
}

function eventWith(map: Buffer): Buffer {
  const fields = [['L', 'jobVertexInputInfos', 'Ljava/util/Map;']] as const;
  return stream(objectOf(classDescriptor(initialized, fields), map));
}

const cases: Readonly<Record<string, () => Buffer>> = {
  nulls: () => filledWith(nullValue),
  'empty texts': () => filledWith(text('')),
  'objects without fields': () => filledWith(objectOf(reference(2)), objectOf(classDescriptor('E', []))),
  references: () => filledWith(reference(1)),
  'new classes': () => filledWith(objectOf(classDescriptor('Some', []))),
  'one long text': () =>
    stream(Buffer.concat([Buffer.from([0x7c, 0, 0, 0, 0]), int(bytesWanted), Buffer.alloc(bytesWanted, 0x61)])),
  'a map of references': () => {
    const map = classDescriptor('java.util.HashMap', [], { flags: 3 });
    const pair = Buffer.concat([reference(0), reference(0)]);
    return eventWith(objectOf(map, Buffer.concat([Buffer.alloc(bytesWanted, pair), Buffer.from([0x78])])));
  },
};

// The peak never falls, so that each case is held against the highest of those before it, too.
test.each(Object.keys(cases))('%s', async (name) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'jobrec-flink-'));
  try {
    const payload = cases[name]?.() ?? Buffer.alloc(0);
    writeFileSync(path.join(folder, 'events.0'), Buffer.concat([int(3), int(payload.length), payload]));
    await (await openFlinkLog(path.join(captures()[0]?.[1] ?? '', 'store'))).summary();
    const before = process.resourceUsage().maxRSS;
    const { damage } = await (await openFlinkLog(folder)).summary();
    const grownBytes = (process.resourceUsage().maxRSS - before) * 1024;
    expect(damage).not.toBeNull();
    expect(grownBytes).toBeLessThan(4 * payload.length);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
