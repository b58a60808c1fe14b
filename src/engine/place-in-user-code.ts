// Where in the user's own files an error of bundled code was thrown. Threads that run such code switch Node's source
// maps on, so that stack traces name the files that were bundled.

/** `file:line:column` of the first stack line in the functions folder, else of the first; null where there is none. */
export function placeInUserCode(error: Error, functionsFolder: string): string | null {
  const lines = (error.stack ?? '').split('\n').filter((line) => line.trim().startsWith('at '));
  const line = lines.find((candidate) => candidate.includes(functionsFolder)) ?? lines[0];
  return /\(?(?:file:\/\/)?([^()\s]+:\d+:\d+)\)?\s*$/.exec(line ?? '')?.[1] ?? null;
}
