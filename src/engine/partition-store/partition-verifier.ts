// Checks partitions before a kernel reads them. A file that was found whole is not read again for its checksum while
// its length and modification time stay the same: many tasks read the same partition.
import { stat } from 'node:fs/promises';
import type { PartitionLocation } from '../protocol/messages.ts';
import { isAt, readWhole } from './report-partitions.ts';
import type { PartitionDescription } from './sidecar.ts';

interface Verified {
  readonly stamp: string;
  readonly description: PartitionDescription;
}

export class PartitionVerifier {
  readonly #verified = new Map<string, Verified>();

  /** The partition's description if it is whole and the one that `location` asks for, else null. */
  async verify(location: PartitionLocation): Promise<PartitionDescription | null> {
    const stamp = await stampOf(location.path);
    if (stamp === null) return null;
    const known = this.#verified.get(location.path);
    const description = known?.stamp === stamp ? known.description : await readWhole(location.path);
    if (description === null || !isAt(description, location)) return null;
    this.#verified.set(location.path, { stamp, description });
    return description;
  }
}

async function stampOf(path: string): Promise<string | null> {
  const found = await stat(path).catch(() => null);
  return found === null ? null : `${found.ino} ${found.size} ${found.mtimeMs}`;
}
