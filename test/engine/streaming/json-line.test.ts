// Rows as the sinks write them: JSON, with text where JSON's readers would lose digits.
import { expect, it } from 'vitest';
import { jsonLine } from '../../../src/engine/streaming/sinks/json-line.ts';

it('writes bigints as numbers as far as a reader has them exactly, and as text beyond', () => {
  const most = BigInt(Number.MAX_SAFE_INTEGER);
  const row = {
    most,
    more: most + 1n,
    least: -most,
    less: -most - 1n,
    wide: [2n ** 64n + 5n],
    map: new Map([['a', -(2n ** 70n)]]),
  };
  expect(jsonLine(row)).toBe(
    '{"most":9007199254740991,"more":"9007199254740992","least":-9007199254740991,"less":"-9007199254740992",' +
      '"wide":["18446744073709551621"],"map":{"a":"-1180591620717411303424"}}\n',
  );
});
