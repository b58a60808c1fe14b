// SIGINT, SIGTERM and SIGHUP ask a run to suspend its job. The first one counts; a second one ends the client at
// once, and the job goes on without it.
import type { ErrorCode } from '../model/errors.ts';

export interface Interruption {
  readonly signal: NodeJS.Signals;
  readonly code: ErrorCode;
}

const codes: readonly Interruption[] = [
  { signal: 'SIGINT', code: 'INTERRUPTED' },
  { signal: 'SIGTERM', code: 'TERMINATED' },
  { signal: 'SIGHUP', code: 'INTERRUPTED_HANGUP' },
];

export interface SignalWatch {
  /** Resolves with a reason at the first signal. */
  readonly interrupted: Promise<string>;
  current(): Interruption | null;
  stop(): void;
}

export function listenForSignals(): SignalWatch {
  let current: Interruption | null = null;
  let interrupt: (reason: string) => void = () => {};
  const interrupted = new Promise<string>((resolve) => {
    interrupt = resolve;
  });
  const handlers = codes.map((interruption) => {
    const handler = () => {
      if (current) process.exit(130);
      current = interruption;
      interrupt(`the client received ${interruption.signal}`);
    };
    process.on(interruption.signal, handler);
    return { signal: interruption.signal, handler };
  });
  return {
    interrupted,
    current: () => current,
    stop: () => {
      for (const { signal, handler } of handlers) process.off(signal, handler);
    },
  };
}
