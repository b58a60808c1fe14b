// docs/job-file.md says what the code does: the options are those of the table, the examples are jobs.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { optionTable } from '../../src/model/option-table.ts';
import { parseJobFile } from '../../src/plan/job-file/read-job-file.ts';
import { knownKeysAt } from '../../src/plan/job-file/schema.ts';
import { tableFunctions } from '../../src/plan/sql-analysis/table-functions.ts';

const text = readFileSync(new URL('../../docs/job-file.md', import.meta.url), 'utf8');

it('lists every option with its default and description', () => {
  const rows = [...text.matchAll(/^\| `([\w.-]+)` \| [^|]* \| (?:`([^`]*)`)? ?\| (.*) \|$/gm)];
  const documented = rows.map(([, name, defaultText, description]) => [name, defaultText ?? null, description]);
  const known = Object.entries(optionTable).map(([name, option]) => [name, option.default, option.description]);
  expect(documented.filter(([name]) => name?.includes('.'))).toEqual(known);
});

it.each([[[]], [['sources', 's']], [['stages', 's']], [['sinks', 's']]])('names the keys at %j', (path) => {
  for (const key of knownKeysAt(path) ?? []) expect(text).toMatch(new RegExp(`^\\| \`${key}\``, 'm'));
});

it('names the table functions', () => {
  for (const name of tableFunctions) if (name !== 'repeat_row') expect(text).toContain(`\`${name}\``);
});

it('has an example that is a job', () => {
  const example = /```yaml\n([\s\S]*?)```/.exec(text)?.[1] ?? '';
  expect(parseJobFile('example.yaml', example).job.name).toBe('delays-by-carrier');
});
