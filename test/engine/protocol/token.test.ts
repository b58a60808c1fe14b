// Tokens: the same text, whatever its length and bytes.
import { expect, it } from 'vitest';
import { isSameToken } from '../../../src/engine/protocol/token.ts';

it.each([
  ['abc', 'abc', true],
  ['', '', true],
  ['abc', 'abd', false],
  ['ab', 'abc', false],
  ['', 'abc', false],
  ['é', 'e', false], // as long in characters, not in bytes
])('%j against %j', (given, expected, isSame) => {
  expect(isSameToken(given, expected)).toBe(isSame);
});
