// When coordinator state is recorded: with every finish, or no more often than the pause, and never later than the end
// of its vertex.
import { describe, expect, it } from 'vitest';
import { SnapshotPacer } from '../../../src/engine/job-master/snapshot-pacer.ts';

const finish = (vertexId: string, options: { changes?: boolean; endsVertex?: boolean } = {}) => ({
  vertexId,
  changes: options.changes ?? true,
  endsVertex: options.endsVertex ?? false,
});

describe('SnapshotPacer', () => {
  it('records with every finish without a pause', () => {
    const pacer = new SnapshotPacer(0, () => 5);
    for (let count = 0; count < 3; count += 1) expect(pacer.finished(finish('v'))).toEqual(['v']);
    expect(pacer.takeAll()).toEqual([]);
  });

  it('records with the first finish, then when the pause has passed: for all that waited', () => {
    let nowMs = 0;
    const pacer = new SnapshotPacer(100, () => nowMs);
    expect(pacer.finished(finish('v'))).toEqual(['v']);
    nowMs = 99;
    expect(pacer.finished(finish('v'))).toEqual([]);
    expect(pacer.finished(finish('w'))).toEqual([]);
    nowMs = 100;
    expect(pacer.finished(finish('x'))).toEqual(['v', 'w', 'x']);
    nowMs = 199;
    expect(pacer.finished(finish('v'))).toEqual([]);
    nowMs = 200;
    expect(pacer.finished(finish('v'))).toEqual(['v']);
  });

  it('does not wait at the end of a vertex, whose pause does not begin anew', () => {
    let nowMs = 0;
    const pacer = new SnapshotPacer(100, () => nowMs);
    pacer.finished(finish('v'));
    nowMs = 50;
    expect(pacer.finished(finish('v'))).toEqual([]);
    expect(pacer.finished(finish('v', { endsVertex: true }))).toEqual(['v']);
    expect(pacer.takeAll()).toEqual([]);
    nowMs = 100;
    expect(pacer.finished(finish('w'))).toEqual(['w']);
  });

  it('what changes nothing neither waits nor begins a pause', () => {
    const pacer = new SnapshotPacer(1e9, () => 0);
    expect(pacer.finished(finish('v', { changes: false }))).toEqual(['v']);
    expect(pacer.finished(finish('v'))).toEqual(['v']);
    expect(pacer.finished(finish('v'))).toEqual([]);
    expect(pacer.finished(finish('w', { changes: false }))).toEqual(['w']);
    expect(pacer.takeAll()).toEqual(['v']);
    expect(pacer.takeAll()).toEqual([]);
  });
});
