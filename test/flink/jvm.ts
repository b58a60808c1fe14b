// Java processes, each known by its process id and ended by it: when the round ends, when it fails, and when the test
// process exits. They run with low priority: the machine is shared.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

export interface Jvm {
  readonly pid: number;
  /** Resolves once the process has ended: to its exit code, or null where a signal ended it. */
  readonly ended: Promise<number | null>;
  readonly logFile: string;
}

export interface JvmOptions {
  readonly mainClass: string;
  readonly args: readonly string[];
  /** -Xmx and the like. */
  readonly memory: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly logFile: string;
}

/** What Flink asks of the module system from Java 17 on. */
const exported = [
  ...['java.base/sun.net.util', 'java.rmi/sun.rmi.registry', 'java.security.jgss/sun.security.krb5'],
  ...['api', 'file', 'parser', 'tree', 'util'].map((name) => `jdk.compiler/com.sun.tools.javac.${name}`),
].map((name) => `--add-exports=${name}=ALL-UNNAMED`);
const opened = [
  ...['lang', 'net', 'io', 'nio', 'lang.reflect', 'text', 'time', 'util'].map((name) => `java.${name}`),
  ...['java.util.concurrent', 'java.util.concurrent.atomic', 'java.util.concurrent.locks', 'sun.nio.ch'],
].map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`);

/** For every Java process of Flink: starts fast, and may look where Flink has to. */
export const javaFlags: readonly string[] = [
  ...['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto'],
  ...exported,
  ...opened,
];

/** What ends this process without an exit event of its own; a test runner that was killed disconnects. */
const fatalEvents = ['SIGINT', 'SIGTERM', 'SIGHUP', 'disconnect'] as const;

/** All Java processes of one cluster. */
export class JvmGroup {
  readonly #classpath: string;
  readonly #log4j: string;
  readonly #alive = new Map<number, ChildProcess>();
  readonly #endAll = () => {
    for (const child of this.#alive.values()) child.kill('SIGKILL');
  };
  readonly #endAllAndExit = () => {
    this.#endAll();
    process.exit(1);
  };

  constructor(classpath: string, log4jFile: string) {
    this.#classpath = classpath;
    this.#log4j = log4jFile;
    process.on('exit', this.#endAll);
    for (const event of fatalEvents) process.on(event, this.#endAllAndExit);
  }

  /** @throws Error where java cannot be started */
  async start(options: JvmOptions): Promise<Jvm> {
    const log = openSync(options.logFile, 'a');
    const child = spawn('nice', ['-n', '10', 'java', ...this.#javaArgs(options)], {
      env: { ...process.env, ...options.env },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    const ended = new Promise<number | null>((resolve) => void child.once('exit', resolve));
    await new Promise((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    const pid = child.pid as number;
    this.#alive.set(pid, child);
    void ended.then(() => this.#alive.delete(pid));
    return { pid, logFile: options.logFile, ended };
  }

  /** SIGKILL, and waits until it is gone. */
  async kill(jvm: Jvm): Promise<void> {
    this.#alive.get(jvm.pid)?.kill('SIGKILL');
    await jvm.ended;
  }

  isAlive(jvm: Jvm): boolean {
    return this.#alive.has(jvm.pid);
  }

  /** Ends everything that is left. */
  async close(): Promise<void> {
    const gone = [...this.#alive.values()].map(
      (child) => new Promise<void>((resolve) => void child.once('exit', () => resolve())),
    );
    this.#endAll();
    await Promise.all(gone);
    process.off('exit', this.#endAll);
    for (const event of fatalEvents) process.off(event, this.#endAllAndExit);
  }

  #javaArgs({ memory, mainClass, args }: JvmOptions): string[] {
    return [
      ...[...javaFlags, ...memory],
      ...[`-Dlog4j.configurationFile=${this.#log4j}`, `-Dlog4j2.configurationFile=${this.#log4j}`],
      ...['-cp', this.#classpath, mainClass, ...args],
    ];
  }
}
