// What the three checkpoint commands call the same things.
import type { CheckpointFormatName } from '../model/checkpoint.ts';
import { printable } from '../model/printable-text.ts';
import { size } from './text.ts';

export function formatText(report: { readonly format: CheckpointFormatName; readonly formatVersion: number }): string {
  return `(${report.format === 'jobrec' ? 'jobrec' : 'Flink'} format ${report.formatVersion})`;
}

export function operatorText(operator: { readonly name: string | null; readonly uid: string | null }): string {
  const { name, uid } = operator;
  const title = printable(name ?? uid ?? '(no name)', 40);
  return name === null || uid === null || uid === name ? title : `${title} (uid ${printable(uid, 40)})`;
}

/** Sizes as people read them; a hostile file may say anything. */
export function stateSizeText(bytes: bigint): string {
  return bytes < 0n ? String(bytes) : size(Number(bytes));
}

/** Negative offsets are rules. */
export function offsetText(offset: bigint | null): string {
  const rules: Readonly<Record<string, string>> = { '-1': 'latest', '-2': 'earliest', '-3': 'committed' };
  return offset === null ? 'not known' : (rules[String(offset)] ?? String(offset));
}
