// The partition report of `diff --partitions`: a document or NDJSON, and each way it can be wrong named with its place.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parsePartitionReport, readPartitionReport } from '../../src/services/partition-report.ts';
import { temporaryFolder } from '../support/sample-store.ts';

const id = (index: number, attempt = '') => `${'0a'.repeat(16)}#${index}${attempt}`;
const worker = (workerId: string, ...partitions: string[]) => ({ workerId, partitions });
const refs = (...indices: number[]) =>
  indices.map((partitionIndex) => ({ datasetId: '0a'.repeat(16), partitionIndex, attempt: null }));

describe('a partition report', () => {
  it('is a document of workers', () => {
    const text = JSON.stringify({ workers: [worker('w1', id(0), id(1)), worker('w2')] }, null, 2);
    expect(parsePartitionReport(text, 'f')).toEqual([
      { workerId: 'w1', partitions: refs(0, 1) },
      { workerId: 'w2', partitions: [] },
    ]);
  });

  it('is NDJSON of workers, with or without a last newline and empty lines', () => {
    const lines = [JSON.stringify(worker('w1', id(0))), '', JSON.stringify(worker('w2', id(3, '@2')))];
    const expected = [
      { workerId: 'w1', partitions: refs(0) },
      { workerId: 'w2', partitions: [{ datasetId: '0a'.repeat(16), partitionIndex: 3, attempt: 2 }] },
    ];
    expect(parsePartitionReport(lines.join('\n'), 'f')).toEqual(expected);
    expect(parsePartitionReport(`${lines.join('\r\n')}\n`, 'f')).toEqual(expected);
  });

  it('is NDJSON of one worker', () => {
    expect(parsePartitionReport(JSON.stringify(worker('w1', id(0))), 'f')).toHaveLength(1);
  });

  it('may hold fields that this version does not know', () => {
    const text = JSON.stringify({ at: 5, workers: [{ ...worker('w1', id(0)), slots: 4 }] });
    expect(parsePartitionReport(text, 'f')).toEqual([{ workerId: 'w1', partitions: refs(0) }]);
  });

  it.each([
    ['', /^f: is empty; expected /],
    ['not json', /^f line 1: is not JSON/],
    [`${JSON.stringify(worker('w1'))}\nnonsense`, /^f line 2: is not JSON/],
    [`${JSON.stringify(worker('w1'))}\n{"workerId":"w2"}`, /^f line 2: partitions: /],
    ['[]', /^f: /],
    ['{"workers":{}}', /^f: workers: /],
    ['{"workers":[{"workerId":"w1","partitions":[7]}]}', /^f: workers\.0\.partitions\.0: /],
    ['{"workers":[{"workerId":"","partitions":[]}]}', /^f: workers\.0\.workerId: /],
    ['{"workers":[{"workerId":"w1","partitions":["x#1"]}]}', /^f: worker w1: "x#1" is no partition id/],
  ])('is refused with its place: %s', (text, message) => {
    expect(() => parsePartitionReport(text, 'f')).toThrow(
      expect.objectContaining({ code: 'REPORT_INVALID', message: expect.stringMatching(message) }),
    );
  });

  it('is read from a file, and a file that cannot be read is named', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'report.json');
    writeFileSync(file, JSON.stringify({ workers: [worker('w1', id(0))] }));
    expect(await readPartitionReport(file)).toHaveLength(1);
    for (const wrong of [folder, join(folder, 'none')]) {
      await expect(readPartitionReport(wrong)).rejects.toMatchObject({
        code: 'REPORT_INVALID',
        message: expect.stringContaining(wrong),
      });
    }
  });
});
