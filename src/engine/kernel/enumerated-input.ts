// A source with a user-written enumerator as a relation: the task asks the JobMaster for one split after the other, reads
// each into a table, and goes on until there is none. Who reads which split makes no difference to the rows.
import { invariant } from '../../model/errors.ts';
import type { FoundSplit, SourceFile } from '../../model/job-graph.ts';
import type { TaskInput } from '../protocol/messages.ts';
import type { Attempt } from './attempt.ts';
import { checkSourceFiles } from './source-files.ts';
import { openSplitReader } from './split-reader.ts';
import type { TaskInputRelation } from './task-input.ts';

type EnumeratedInput = Extract<TaskInput, { kind: 'enumerated' }>;

/** `index`: the input's place among those of the vertex, by which the JobMaster is asked. */
export async function enumeratedInput(
  attempt: Attempt,
  { source }: EnumeratedInput,
  index: number,
): Promise<TaskInputRelation> {
  const reader = await openSplitReader(attempt, source);
  const files = new Map<string, SourceFile>();
  const recheck = () => checkSourceFiles(source, [...files.values()]);
  for (;;) {
    const split = await requestSplit(attempt, index);
    if (split === null) break;
    if (split.file !== null) {
      files.set(split.file.path, split.file);
      await checkSourceFiles(source, [split.file]);
    }
    await reader.read(split);
    // Before the next one: a file that changed meanwhile is the cause of whatever follows.
    if (split.file !== null) await checkSourceFiles(source, [split.file]);
  }
  const { table, rows: recordsIn } = await reader.finish();
  const bytesIn = [...files.values()].reduce((sum, file) => sum + file.bytes, 0);
  const relation = { sql: `SELECT * FROM ${table}`, hasColumns: true, isScan: true, stages: [] };
  return { ...relation, recordsIn, bytesIn, badRows: 0, parts: [], recheck };
}

function requestSplit(attempt: Attempt, index: number): Promise<FoundSplit | null> {
  const { requestSplit: request } = attempt.environment;
  invariant(request, 'a task that reads an enumerated source can ask for splits');
  return attempt.orStopped(request(index));
}
