// How the golden store of format 1 was made. fixtures/store-v1 is never written again: a change of the bytes that this
// gives is a change of the format. A new version gets a fixture of its own.
import { StoreWriter } from '../../src/store/writer.ts';
import { eventsOfFirstRelease, finished, optionsFor, steppingClock, writeGroups } from './sample-store.ts';

export async function writeGoldenStore(folder: string): Promise<void> {
  const now = steppingClock(1_790_000_000_000_000);
  const first = await StoreWriter.create(optionsFor(folder, { now }));
  await writeGroups(first, [eventsOfFirstRelease.slice(0, 6), eventsOfFirstRelease.slice(6)]);
  await first.close();
  const { writer } = await StoreWriter.resume(optionsFor(folder, { now, epoch: 2, segmentSizeBytesMax: 200 }));
  await writeGroups(writer, [[finished(2), finished(3)], [finished(4)]]);
  await writer.seal();
  await writer.close();
}
