// Waiting for something outside of this process: asks again until there is an answer, or fails by name.

export class TimedOut extends Error {}

/** Asks every `everyMs` until the answer is not null. @throws TimedOut naming what did not happen */
export async function until<T>(
  what: string,
  ask: () => Promise<T | null> | T | null,
  timing: { readonly timeoutMs: number; readonly everyMs?: number },
): Promise<T> {
  const deadline = performance.now() + timing.timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    if (performance.now() > deadline) throw new TimedOut(`not within ${timing.timeoutMs} ms: ${what}`);
    await sleep(timing.everyMs ?? 100);
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
