// The one kind of table: columns aligned, no lines, two spaces between, the last column free to be long. Tables are
// made here only.
import Table from 'cli-table3';
import type { Style } from './style.ts';

export interface TableColumn {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

const noLines = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

/** Indented by two spaces; empty where there are no rows. */
export function table(columns: readonly TableColumn[], rows: readonly (readonly string[])[], style: Style): string {
  if (rows.length === 0) return '';
  const grid = new Table({
    head: columns.map((column) => style.quiet(column.title)),
    colAligns: columns.map((column) => column.align ?? 'left'),
    chars: noLines,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  });
  grid.push(...rows.map((row) => [...row]));
  return grid
    .toString()
    .split('\n')
    .map((line) => `  ${line}`.trimEnd())
    .join('\n');
}
