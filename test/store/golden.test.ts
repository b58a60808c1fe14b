// Data of format 1 as the first version wrote it. These files are never rewritten; whoever breaks this test has made a
// new format version.
import path from 'node:path';
import { expect, test } from 'vitest';
import { openJobLog } from '../../src/store/open-log.ts';
import { writeGoldenStore } from './golden.ts';
import { eventsOfFirstRelease, filesOf, finished, recordsOf, temporaryFolder } from './sample-store.ts';

const fixture = path.join(import.meta.dirname, '../../fixtures/store-v1');

test('every event of the fixture is read as it was recorded', async () => {
  const log = await openJobLog(fixture);
  const records = await recordsOf(log);
  expect(records.map((record) => record.event)).toEqual([
    ...eventsOfFirstRelease,
    finished(2),
    finished(3),
    finished(4),
  ]);
  expect(records.map((record) => record.epoch)).toEqual([...new Array(16).fill(1), 2, 2, 2]);
  expect(records.map((record) => record.timeMicros)).toEqual([...records.map((record) => record.timeMicros)].sort());
  expect(await log.summary()).toMatchObject({
    format: 'jobrec',
    formatVersion: 1,
    events: 19,
    findings: [],
    damage: null,
  });
});

test('frames lie one behind the other, marks apart, and their lengths add up', async () => {
  const log = await openJobLog(fixture);
  const { segments } = await log.summary();
  const first = (await recordsOf(log)).filter((record) => record.segment === segments[0]?.name);
  expect(first[0]).toMatchObject({ offset: 80, sequence: 0 });
  const gaps = first
    .slice(1)
    .map((record, index) => record.offset - (first[index]?.offset ?? 0) - (first[index]?.bytes ?? 0));
  expect(gaps.filter((gap) => gap !== 0)).toEqual([52]);
});

test('the same events on the same clock give the same bytes', async () => {
  const folder = path.join(await temporaryFolder(), 'job-events');
  await writeGoldenStore(folder);
  expect(await filesOf(folder)).toEqual(await filesOf(path.join(fixture, 'job-events')));
});
