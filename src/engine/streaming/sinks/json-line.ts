// A row as JSON. Integers beyond what JSON's readers hold become text, as in jobrec's own --json.
import type { Row } from '../../../model/streaming-plan.ts';

export function jsonLine(row: Row): string {
  return `${jsonText(row)}\n`;
}

export function jsonText(row: Row): string {
  return JSON.stringify(row, plainValue);
}

function plainValue(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value instanceof Map) return Object.fromEntries(value);
  return value instanceof Set ? [...value] : value;
}
