// What reaches the screen or a pipe: colours only where they are wanted, a reader that goes away ends the command
// quietly, large integers stay exact.
import { once } from 'node:events';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { beforeAll, describe, expect, it } from 'vitest';
import { toJsonDocument, toJsonLine } from '../../src/cli/json.ts';
import { Output } from '../../src/cli/output.ts';
import { runCli, spawnCli } from '../support/cli.ts';
import { sampleEvents, temporaryFolder, writeStore } from '../support/sample-store.ts';

const escapeSequence = '\u001b[';

describe('a pipe', () => {
  let store = '';
  beforeAll(async () => {
    store = join(temporaryFolder(), 'job-events');
    const many = Array.from(
      { length: 5000 },
      () => ({ type: 'job-status-changed', state: 'RUNNING', reason: null }) as const,
    );
    await writeStore([...sampleEvents, ...many], { folder: store });
  });

  it.each([[], ['--json']])('that closes early ends the command quietly %s', async (...flags) => {
    const child = spawnCli(['inspect', store, '--events', ...flags]);
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    await once(child.stdout, 'data');
    child.stdout.destroy();
    const [code] = (await once(child, 'close')) as [number | null];
    expect([code, stderr]).toEqual([0, '']);
  });

  it('gets all of it, and no colours', async () => {
    const { stdout } = await runCli(['inspect', store, '--events']);
    expect(stdout.trimEnd().split('\n')).toHaveLength(sampleEvents.length + 5000);
    expect(stdout).not.toContain(escapeSequence);
  });
});

describe('colours', () => {
  const outputOn = (isTTY: boolean, env: Record<string, string>, noColor = false, json = false) => {
    const stream = () => Object.assign(new PassThrough(), { isTTY });
    return new Output({ stdout: stream(), stderr: stream(), env }, { json, noColor }).style.color;
  };

  it.each([
    ['a terminal', true, {}, false, true],
    ['a pipe', false, {}, false, false],
    ['NO_COLOR', true, { NO_COLOR: '1' }, false, false],
    ['an empty NO_COLOR', true, { NO_COLOR: '' }, false, true],
    ['--no-color', true, {}, true, false],
    ['a dumb terminal', true, { TERM: 'dumb' }, false, false],
  ] as const)('on %s', (_, isTTY, env, noColor, expected) => {
    expect(outputOn(isTTY, env, noColor)).toBe(expected);
  });

  it('never in JSON', () => {
    expect(outputOn(true, {}, false, true)).toBe(false);
  });
});

describe('JSON', () => {
  it('keeps integers above 2^53-1 exact, as strings', () => {
    const value = {
      small: 5n,
      large: 2n ** 53n,
      least: -(2n ** 60n),
      safe: Number.MAX_SAFE_INTEGER,
      beyond: 2 ** 60,
      half: 0.5,
    };
    expect(toJsonLine(value)).toBe(
      '{"small":5,"large":"9007199254740992","least":"-1152921504606846976","safe":9007199254740991,"beyond":"1152921504606846976","half":0.5}',
    );
  });

  it('writes bytes as base64', () => {
    expect(toJsonLine({ state: new Uint8Array([1, 2, 3]), buffer: Buffer.from('hi') })).toBe(
      '{"state":"AQID","buffer":"aGk="}',
    );
  });

  it('puts a document over several lines and a line on one', () => {
    expect(toJsonDocument({ a: [1] }).split('\n')).toHaveLength(5);
    expect(toJsonLine({ a: 'x\ny' })).not.toContain('\n');
  });
});
