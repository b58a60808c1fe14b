// Entry of the thread of one slot of a streaming job: one thread for each deployment, so that nothing of an attempt is
// left in the next one.
import { parentPort, workerData } from 'node:worker_threads';
import { invariant } from '../../../model/errors.ts';
import type { SlotDeployment, StreamToTaskManager } from '../protocol/stream-messages.ts';
import { SlotTasks } from './slot-tasks.ts';

invariant(parentPort, 'a slot runs in a thread of its TaskManager');
const port = parentPort;
const deployment = workerData as SlotDeployment;
// Stack traces of bundled functions name the user's own files.
process.setSourceMapsEnabled(true);
const tasks = new SlotTasks(deployment, (message) => port.postMessage(message));

port.on('message', (message: StreamToTaskManager) => {
  switch (message.type) {
    case 'connect':
      void tasks.connect(message.addresses);
      return;
    case 'trigger':
      tasks.trigger(message.barrier);
      return;
    case 'complete':
      tasks.checkpointComplete(message.checkpointId);
      return;
    case 'finish':
    case 'cancel':
      // The thread ends when nothing is left to wait for.
      void tasks.end().finally(() => port.close());
      return;
  }
});
await tasks.start();
