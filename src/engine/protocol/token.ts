// Tokens, by which the processes of a job know each other. Compared in the same time wherever two differ.
import { timingSafeEqual } from 'node:crypto';

export function isSameToken(given: string, expected: string): boolean {
  const a = Buffer.from(given);
  const b = Buffer.from(expected);
  return a.length === b.length && timingSafeEqual(a, b);
}
