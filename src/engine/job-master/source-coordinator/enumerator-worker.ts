// The thread in which one user-written enumerator runs, apart from the JobMaster: it may throw, hang, burn its
// processor or end the thread, and the JobMaster goes on. One question at a time, one answer each.
import { parentPort, workerData } from 'node:worker_threads';
import { invariant, messageOf } from '../../../model/errors.ts';
import { placeInUserCode } from '../../place-in-user-code.ts';
import type { EnumeratorSetup, FromEnumerator, ToEnumerator } from './enumerator-messages.ts';
import { openEnumerator, type UserEnumerator } from './user-enumerator.ts';

const messageMax = 8_000;

function failureOf(error: unknown, { exportName, functionsFolder }: EnumeratorSetup): FromEnumerator {
  const name = error instanceof Error && error.name !== 'Error' ? `${error.name}: ` : '';
  const place = error instanceof Error ? placeInUserCode(error, functionsFolder) : null;
  const message = `enumerator ${exportName}: ${name}${messageOf(error)}${place === null ? '' : ` (${place})`}`;
  return { type: 'failed', message: message.slice(0, messageMax) };
}

async function open(setup: EnumeratorSetup): Promise<UserEnumerator> {
  const module = (await import(setup.moduleUrl)) as Record<string, unknown>;
  const make = module[setup.exportName];
  if (typeof make !== 'function') throw new TypeError('it is not a function');
  return openEnumerator(await make(setup.context), setup.state);
}

async function serve(setup: EnumeratorSetup): Promise<void> {
  invariant(parentPort, 'an enumerator runs in a thread of the JobMaster');
  const port = parentPort;
  const tell = (message: FromEnumerator) => port.postMessage(message);
  // Stack traces of the bundled module name the user's own files.
  process.setSourceMapsEnabled(true);
  // A promise that is rejected between two questions: told as what it is, not as the end of the thread.
  process.on('unhandledRejection', (error) => tell(failureOf(error, setup)));
  const answering = async (answer: () => Promise<FromEnumerator>) => {
    tell(await answer().catch((error: unknown) => failureOf(error, setup)));
  };
  let enumerator: UserEnumerator | null = null;
  port.on('message', ({ subtask }: ToEnumerator) =>
    answering(async () => {
      invariant(enumerator, 'an enumerator is asked when it has started');
      const split = await enumerator.next(subtask);
      return { type: 'answer', split, state: await enumerator.state() };
    }),
  );
  await answering(async () => {
    enumerator = await open(setup);
    const { supportsBatchSnapshot } = enumerator;
    return { type: 'started', supportsBatchSnapshot, state: await enumerator.state() };
  });
}

await serve(workerData as EnumeratorSetup);
