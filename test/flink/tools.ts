// Runs the tools of a JDK and Maven to their end, without a shell, and says what went wrong in one line.
import { spawn } from 'node:child_process';

export interface ToolResult {
  /** null where the tool is missing or did not end in time. */
  readonly code: number | null;
  /** Both streams, as they came. */
  readonly output: string;
  /** Why there is no code, or null. */
  readonly problem: string | null;
}

export interface ToolOptions {
  readonly timeoutMs: number;
  readonly env?: Readonly<Record<string, string>>;
}

export function runTool(name: string, args: readonly string[], options: ToolOptions): Promise<ToolResult> {
  const child = spawn(name, args, {
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: options.timeoutMs,
    killSignal: 'SIGKILL',
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return new Promise((resolve) => {
    child.once('error', ({ message }) => resolve({ code: null, output, problem: message }));
    child.once('close', (code, signal) => {
      resolve({ code, output, problem: signal === null ? null : `${name} ended by ${signal}` });
    });
  });
}

/** The line of a failed tool's output that says most. */
export function toolFailure(name: string, { code, output, problem }: ToolResult): string {
  const lines = output.split('\n').map((line) => line.trim());
  const telling = lines.find((line) => /error/i.test(line)) ?? lines.find((line) => line !== '') ?? '';
  return `${problem ?? `${name} failed with ${code}`}${telling === '' ? '' : `: ${telling.slice(0, 300)}`}`;
}
