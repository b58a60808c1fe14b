// A Flink store as a log: which files count, what is said of gaps and empty stores, and how it is found from above.
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openFlinkLog } from '../../../src/store/flink/flink-log.ts';
import { frameToJson } from '../../../src/store/flink/frame-json.ts';
import { openJobLog } from '../../../src/store/open-log.ts';
import { captures, storeFiles } from './captures.ts';

const capture = captures().find(([name]) => name === '1.20.3/s00-happy')?.[1] ?? '';
const files = storeFiles(capture);
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'jobrec-flink-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, as: string = name): void {
  writeFileSync(path.join(folder, as), files.get(name) ?? Buffer.alloc(0));
}

async function eventsBySegment(): Promise<Record<string, number>> {
  const { segments } = await (await openFlinkLog(folder)).summary();
  return Object.fromEntries(segments.map(({ name, events }) => [name, events]));
}

describe('which files count', () => {
  test('a gap hides later files, which are listed and not read', async () => {
    for (const name of ['events.0', 'events.2', 'events.3']) write(name);
    const { findings, damage, bytes } = await (await openFlinkLog(folder)).summary();
    const lost = (files.get('events.2')?.length ?? 0) + (files.get('events.3')?.length ?? 0);
    expect(findings).toMatchObject([{ code: 'SEGMENT_GAP', flinkDoes: 'hides-later-files', bytesLost: lost }]);
    expect(damage).toMatchObject({ code: 'SEGMENT_GAP', segment: 'events.2' });
    expect(await eventsBySegment()).toEqual({ 'events.0': 5, 'events.2': 0, 'events.3': 0 });
    expect(bytes).toBe(lost + (files.get('events.0')?.length ?? 0));
  });

  test('numbers are numbers, and names with leading zeros are not Flink’s', async () => {
    for (let number = 0; number < 12; number++) write('events.1', `events.${number}`);
    write('events.0', 'events.012');
    write('events.0', 'events.13.bak');
    expect(Object.keys(await eventsBySegment())).toEqual(Array.from({ length: 12 }, (_, number) => `events.${number}`));
  });

  test('files without any event make a recovered job hang', async () => {
    writeFileSync(path.join(folder, 'events.0'), '');
    const { findings, damage, events } = await (await openFlinkLog(folder)).summary();
    expect(findings).toMatchObject([{ code: 'EMPTY_STORE', flinkDoes: 'hangs' }]);
    expect([damage, events]).toEqual([null, 0]);
  });

  test('a folder above with the rest of the high-availability storage', async () => {
    const events = path.join(folder, 'cluster', '0123456789abcdef0123456789abcdef', 'job-events');
    mkdirSync(events, { recursive: true });
    for (const name of files.keys()) copyFileSync(path.join(capture, 'store', name), path.join(events, name));
    writeFileSync(path.join(folder, 'cluster', 'submittedJobGraph1234'), 'x');
    const log = await openJobLog(folder);
    expect([log.format, path.basename(log.location)]).toEqual(['flink', 'job-events']);
  });
});

test('classes: another serialVersionUID is damage, where Flink would refuse it', async () => {
  const bytes = Buffer.from(files.get('events.0') ?? '');
  // JobVertexID names its version, 1, in its source; the second event describes it, too.
  const second =
    bytes.indexOf('org.apache.flink.runtime.jobgraph.JobVertexID', 500) +
    'org.apache.flink.runtime.jobgraph.JobVertexID'.length;
  expect(bytes.readBigInt64BE(second)).toBe(1n);
  bytes.writeBigInt64BE(2n, second);
  writeFileSync(path.join(folder, 'events.0'), bytes);
  const { findings, events } = await (await openFlinkLog(folder)).summary();
  expect(events).toBe(1);
  expect(findings).toMatchObject([{ code: 'PAYLOAD_INVALID', flinkDoes: 'deletes-store' }]);
  expect(findings[0]?.message).toContain('JobVertexID has serialVersionUID 2');
});

test('an end of input inside a reset or initialized event is the end of its file, inside a finish it is not', async () => {
  const bytes = files.get('events.0') ?? Buffer.alloc(0);
  const cut = (offset: number, length: number) => {
    const frame = Buffer.from(bytes.subarray(offset, offset + 8 + length - 3));
    frame.writeInt32BE(length - 3, 4);
    return frame;
  };
  const firstLength = bytes.readInt32BE(4);
  const first = cut(0, firstLength);
  writeFileSync(path.join(folder, 'events.0'), Buffer.concat([first, bytes.subarray(8 + firstLength)]));
  write('events.1');
  const skipped = await (await openFlinkLog(folder)).summary();
  expect(skipped.findings).toMatchObject([{ code: 'PAYLOAD_INVALID', flinkDoes: 'skips-rest-of-file' }]);
  expect(skipped.segments.map(({ events }) => events)).toEqual([0, 5]);
  const finishAt = 8 + firstLength;
  const finish = cut(finishAt, bytes.readInt32BE(finishAt + 4));
  writeFileSync(path.join(folder, 'events.0'), Buffer.concat([bytes.subarray(0, finishAt), finish]));
  const deleted = await (await openFlinkLog(folder)).summary();
  expect(deleted.findings).toMatchObject([{ code: 'PAYLOAD_INVALID', flinkDoes: 'deletes-store' }]);
});

test('a raw frame is its Java objects, hexadecimal where it does not parse', () => {
  const bytes = files.get('events.0') ?? Buffer.alloc(0);
  const frame = Buffer.from(bytes.subarray(0, 8 + bytes.readInt32BE(4)));
  expect(frameToJson(frame)).toMatchObject({ type: 3, event: { parallelism: 4 } });
  frame[12] = 0;
  expect(frameToJson(frame)).toMatchObject({
    type: 3,
    event: { unreadable: expect.any(String), hex: expect.any(String) },
  });
});
