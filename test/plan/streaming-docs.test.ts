// docs/streaming.md says what the code does: the options are those of the table, the keys are named, the example plans.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { deprecatedOptionNames, streamingOptionTable } from '../../src/model/streaming-options.ts';
import { checkShape, readDocument } from '../../src/plan/job-file/read-job-file.ts';
import { streamJobSchema, streamKeysAt, streamListKeys } from '../../src/plan/streaming/schema.ts';

const text = readFileSync(new URL('../../docs/streaming.md', import.meta.url), 'utf8');

it('lists every option with its default and description', () => {
  const rows = [...text.matchAll(/^\| `([\w.-]+)` \| [^|]* \| (?:`([^`]*)`)? ?\| (.*) \|$/gm)];
  const documented = rows.map(([, name, defaultText, description]) => [name, defaultText ?? null, description]);
  const known = Object.entries(streamingOptionTable).map(([name, each]) => [name, each.default, each.description]);
  expect(documented.filter(([name]) => name?.includes('.'))).toEqual(known);
});

it('takes old names for options that there are', () => {
  for (const name of Object.values(deprecatedOptionNames)) expect(Object.keys(streamingOptionTable)).toContain(name);
});

it.each([['sources'], ['stages'], ['sinks']])('names the keys of %s', (section) => {
  for (const key of streamKeysAt([section, 'x']) ?? []) expect(text).toMatch(new RegExp(`\`${key}[\`:,]`));
});

it('has an example that is a job', () => {
  const example = /```yaml\n([\s\S]*?)```/.exec(text)?.[1] ?? '';
  const shape = { schema: streamJobSchema, knownKeysAt: streamKeysAt, listKeys: streamListKeys };
  expect(checkShape(readDocument('example.yaml', example), shape).name).toBe('word-count');
});
