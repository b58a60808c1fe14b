// Child processes of the benchmarks. NODE_EXTRA_CA_CERTS is left out of their environment: where it is set, it costs
// node 20 some 50 ms a start, which neither side should pay.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The checkout; this module is bundled to build/bench/. */
export const checkout = fileURLToPath(new URL('../../', import.meta.url));

export interface Finished {
  readonly stdout: string;
  /** From just before the start to the end of the process. */
  readonly wallMs: number;
}

/** Runs a program to its end; one that fails stops the benchmark with what it said. */
export async function runProcess(program: string, args: readonly string[], input = ''): Promise<Finished> {
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  const startedMs = performance.now();
  const child = spawn(program, args, { env, cwd: checkout, stdio: ['pipe', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const wallMs = performance.now() - startedMs;
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}: ${stderr || stdout}`);
  return { stdout, wallMs };
}

export function runNode(args: readonly string[]): Promise<Finished> {
  return runProcess(process.execPath, args);
}

/** The version that a program prints for `--version`; null where it is not installed. */
export async function versionOf(program: string): Promise<string | null> {
  return runProcess(program, ['--version']).then(
    ({ stdout }) => stdout.trim(),
    () => null,
  );
}
