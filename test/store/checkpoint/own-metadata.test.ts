// jobrec's own `_metadata`: comes back as it was written, and no byte of it can be changed unseen.
import { mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  CheckpointStorage,
  checkStates,
  completeCheckpoint,
  discardFolder,
  readMetadata,
  readState,
  writeState,
} from '../../../src/store/checkpoint/checkpoint-storage.ts';
import { type CheckpointMetadata, decodeMetadata, encodeMetadata } from '../../../src/store/checkpoint/own-metadata.ts';

const sample: CheckpointMetadata = {
  kind: 'checkpoint',
  checkpointId: 12,
  jobId: 'a'.repeat(32),
  jobName: 'words',
  epoch: 3,
  timestampMs: 1_700_000_000_000,
  operators: [
    {
      operatorId: 'b'.repeat(32),
      uid: 'Sum',
      name: 'count',
      parallelism: 2,
      maxParallelism: 128,
      subtasks: [
        {
          subtask: 0,
          keyed: {
            state: { kind: 'inline', bytes: new Uint8Array([1, 2, 3]) },
            blocks: [
              { keyGroup: 4, length: 1 },
              { keyGroup: 9, length: 2 },
            ],
          },
          operator: null,
        },
        { subtask: 1, keyed: null, operator: { kind: 'file', name: 'x-1-operator', length: 5, crc: 77 } },
      ],
    },
  ],
  parts: [{ sink: 'out', staged: '/o/.staged', final: '/o/part-1', rows: 3, bytes: 44 }],
  sinkRows: [{ sink: 'out', rows: 9 }],
};

async function folder(): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), 'jobrec-checkpoint-'));
  onTestFinished(() => rm(made, { recursive: true, force: true }));
  return made;
}

describe('_metadata', () => {
  it('comes back as it was', () => {
    expect(decodeMetadata(encodeMetadata(sample))).toEqual({ kind: 'metadata', metadata: sample });
  });

  it('is damaged at whatever byte it is cut or changed', () => {
    const bytes = encodeMetadata(sample);
    for (let at = 0; at < bytes.length; at += 1) {
      expect(decodeMetadata(bytes.subarray(0, at)).kind).toBe('damaged');
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ 0x10;
      expect(decodeMetadata(flipped).kind).not.toBe('metadata');
    }
    expect(decodeMetadata(Buffer.concat([bytes, Buffer.alloc(1)])).kind).toBe('damaged');
  });

  it('names a version that it does not know', () => {
    const bytes = encodeMetadata(sample);
    bytes.writeUInt32BE(2, 8);
    expect(decodeMetadata(bytes)).toEqual({ kind: 'version', formatVersion: 2 });
  });

  it.each([['../x'], ['/etc/passwd'], ['a/b'], ['']])('takes no state file named %j', (name) => {
    const subtasks = [{ subtask: 0, keyed: null, operator: { kind: 'file', name, length: 1, crc: 1 } as const }];
    const operators = sample.operators.map((operator) => ({ ...operator, subtasks }));
    expect(decodeMetadata(encodeMetadata({ ...sample, operators }))).toMatchObject({ kind: 'damaged' });
  });
});

describe('checkpoints on disk', () => {
  it('are complete when their metadata is there, and say which state file is damaged', async () => {
    const root = await folder();
    const storage = new CheckpointStorage(root);
    await storage.prepare();
    const at = storage.folderOf(12);
    await storage.begin(12);
    await expect(storage.begin(12)).rejects.toThrow('EEXIST');
    const handle = await writeState(at, 'x-1-operator', Buffer.from('state'));
    const subtasks = [{ subtask: 0, keyed: null, operator: handle }];
    const metadata = { ...sample, operators: sample.operators.map((operator) => ({ ...operator, subtasks })) };
    expect(await readMetadata(at)).toMatchObject({ kind: 'damaged', reason: '_metadata is missing' });
    await completeCheckpoint(at, metadata);
    expect(await readMetadata(at)).toEqual({ kind: 'metadata', metadata });
    expect(await readState(at, handle)).toEqual({ kind: 'state', bytes: Buffer.from('state') });
    expect(await checkStates(at, metadata)).toBeNull();
    expect((await readdir(root)).sort()).toEqual(['chk-12', 'shared', 'taskowned']);
    expect(await storage.list()).toEqual([12]);

    await writeFile(path.join(at, 'x-1-operator'), 'stats');
    expect(await checkStates(at, metadata)).toBe('the checksum of x-1-operator is wrong');
    await truncate(path.join(at, 'x-1-operator'), 2);
    expect(await checkStates(at, metadata)).toBe('x-1-operator has 2 bytes, not 5');
    await rm(path.join(at, 'x-1-operator'));
    expect(await checkStates(at, metadata)).toBe('x-1-operator is missing');
    await discardFolder(at);
    expect(await storage.list()).toEqual([]);
  });
});
