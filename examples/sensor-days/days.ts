// The enumerator runs in the JobMaster and says which splits there are; the reader runs in the tasks, one split at a
// time. With `snapshot` and `restore` a new JobMaster goes on where the last one was: no finished day is read again.

interface Task {
  readonly subtask: number;
  readonly signal: AbortSignal;
}

const firstDay = Date.UTC(2026, 0, 1);
const dayMs = 24 * 60 * 60 * 1000;
const dayCount = 90;
const sensors = ['cellar', 'kitchen', 'roof'];

export function days() {
  let given = 0;
  return {
    /** The next split for a task that asks; null: there are no more. */
    next() {
      if (given >= dayCount) return null;
      const day = new Date(firstDay + given * dayMs).toISOString().slice(0, 10);
      given += 1;
      return { id: day, data: { day } };
    },
    /** Plain JSON, taken after each answer: keep it small. */
    snapshot: () => given,
    restore(state: number) {
      given = state;
    },
  };
}

/** In real life this asks a service for the readings of one day. */
export async function* readDay(split: { readonly data: { readonly day: string } }, task: Task) {
  const day = new Date(split.data.day);
  for (let hour = 0; hour < 24 && !task.signal.aborted; hour += 1) {
    for (const [index, sensor] of sensors.entries()) {
      const celsius = 8 + 4 * index + 6 * Math.sin((Math.PI * (hour - 6)) / 12) + day.getUTCMonth();
      yield { day, sensor, celsius: Math.round(celsius * 10) / 10 };
    }
  }
}
