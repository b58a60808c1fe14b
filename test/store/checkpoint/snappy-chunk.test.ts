// Chunks of Snappy's framing format: what snappy-java 1.1.10 wrote, and every way in which such bytes can be wrong.
import { describe, expect, test } from 'vitest';
import { dataChunkAt } from '../../../src/store/flink/checkpoint/snappy-chunk.ts';
import { seeded } from '../../replay/random.ts';

const bytesMax = 4096;

/** Two writes with a flush between: the first gains by compression, the second does not. */
const written = Buffer.from(
  'ff060000734e61507059000f000008a367ee2f14776f7264732da20600010b0000cb13c8596e6f206761696e',
  'hex',
);
const secondAt = 29;

/** A compressed chunk around what `Snappy.compress` gave. */
function chunk(hex: string, kind = 0x00): Buffer {
  const data = Buffer.from(hex, 'hex');
  const head = Buffer.from([kind, 0, 0, 0, 1, 2, 3, 4]);
  head.writeUIntLE(data.length + 4, 1, 3);
  return Buffer.concat([head, data]);
}

const random61 =
  '359d41baf78afe0de1bbe7ae28c0450ce43c084f4bbb2bf1839dee466d852cb5be6a61aa9a0c6117bd6743e7dc978573998e685e885cb361f86c974620';

describe('a chunk', () => {
  test('behind the stream identifier, compressed; and behind it as it is', () => {
    expect(dataChunkAt(written, 0, bytesMax)?.toString()).toBe('words-words-words-words-words-words-words-words');
    expect(dataChunkAt(written, secondAt, bytesMax)?.toString()).toBe('no gain');
  });

  test.each([
    ['no byte', '00', ''],
    ['one byte', '010061', '61'],
    [
      'a copy that reaches into what it makes',
      '1d14776f7264732d5a0600',
      Buffer.from('words-words-words-words-words').toString('hex'),
    ],
    ['300 zeros: copies of 64 bytes', 'ac020000fe0100fe0100fe0100fe0100aa0100', '00'.repeat(300)],
    ['a literal with its length in a byte', `3df03c${random61}`, random61],
    ['a copy with an offset of four bytes', '090c616263641304000000', Buffer.from('abcdabcda').toString('hex')],
  ])('of %s', (_, compressed, expected) => {
    expect(dataChunkAt(chunk(compressed), 0, bytesMax)?.toString('hex')).toBe(expected);
  });

  test('behind chunks that may be passed over', () => {
    const bytes = Buffer.concat([chunk('ffff', 0x80), chunk('', 0xfe), chunk('010061')]);
    expect(dataChunkAt(bytes, 0, bytesMax)?.toString()).toBe('a');
  });
});

describe('no chunk', () => {
  test.each([
    ['nothing', Buffer.alloc(0)],
    ['a kind that must not be passed over', chunk('010061', 0x02)],
    ['a length beyond the end', chunk('010061').subarray(0, -1)],
    ['data beyond its declared length', chunk('010461616161')],
    ['less than its declared length', chunk('050061')],
    ['a copy from before the beginning', chunk('0800610906')],
    ['a copy from nowhere', chunk('0500610100')],
    ['a copy that is cut', chunk('0500610e')],
    ['a literal that is cut', chunk('0510616263')],
    ['a length that never ends', chunk('ffffffffffff')],
    ['no length', chunk('')],
    ['more than is expected', chunk('81200061')],
    ['more than is expected, as it is', chunk('00'.repeat(bytesMax + 1), 0x01)],
  ])('%s', (_, bytes) => {
    expect(dataChunkAt(bytes, 0, bytesMax)).toBeNull();
  });

  test('every byte changed to anything: an answer within its bound, or none', () => {
    const random = seeded(1);
    for (let at = 0; at < written.length; at += 1) {
      for (let round = 0; round < 50; round += 1) {
        const bytes = Buffer.from(written);
        bytes[at] = random.below(256);
        const data = dataChunkAt(bytes, 0, bytesMax);
        expect(data === null || data.length <= bytesMax).toBe(true);
      }
    }
  });
});
