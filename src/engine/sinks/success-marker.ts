// `_SUCCESS`: the marker that a commit leaves last. It names the job and its files, so that the job's next run knows
// which files of the folder are its own and may be replaced.
import { readFile } from 'node:fs/promises';
import * as v from 'valibot';

// The names are removed when a later run replaces them: none may lead out of the folder.
const fileName = v.pipe(v.string(), v.regex(/^[^/\\]+$/));

const markerSchema = v.object({
  job: v.string(),
  jobId: v.string(),
  rows: v.number(),
  files: v.array(fileName),
});

export type SuccessMarker = v.InferOutput<typeof markerSchema>;

/** The marker of a committed run at `file`; null where there is none or another tool's. */
export async function readSuccessMarker(file: string): Promise<SuccessMarker | null> {
  try {
    const parsed = v.safeParse(markerSchema, JSON.parse(await readFile(file, 'utf8')));
    return parsed.success ? parsed.output : null;
  } catch {
    return null;
  }
}
