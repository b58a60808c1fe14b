// master.json: where the leading JobMaster listens and the job's token. Readable by its owner only. Workers and
// clients read it to find the leader; a newer epoch replaces it.
import { chmod, readFile, rename, rm, writeFile } from 'node:fs/promises';
import * as v from 'valibot';

const masterFileSchema = v.object({
  epoch: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  pid: v.pipe(v.number(), v.safeInteger()),
  host: v.string(),
  port: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(65535)),
  token: v.string(),
});

export type MasterAddress = v.InferOutput<typeof masterFileSchema>;

/** Replaces the file atomically; no sync: after a power loss no master listens anyway. */
export async function writeMasterFile(path: string, address: MasterAddress): Promise<void> {
  const temporary = `${path}.${address.epoch}.tmp`;
  await writeFile(temporary, `${JSON.stringify(address)}\n`, { mode: 0o600 });
  await chmod(temporary, 0o600);
  await rename(temporary, path);
}

/** null where there is none, or it is not one (a half-written file is never seen, since it is replaced whole). */
export async function readMasterFile(path: string): Promise<MasterAddress | null> {
  try {
    const parsed = v.safeParse(masterFileSchema, JSON.parse(await readFile(path, 'utf8')));
    return parsed.success ? parsed.output : null;
  } catch {
    return null;
  }
}

export async function removeMasterFile(path: string): Promise<void> {
  await rm(path, { force: true });
}
