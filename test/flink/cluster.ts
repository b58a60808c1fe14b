// One real Flink cluster of single processes: ZooKeeper, one JobManager, TaskManagers. It listens on loopback only, in
// a folder of its own, and close() ends every process by its id whatever happened before.
// Spec: docs/testing.md "Real Flink".
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClusterOptions, flinkConfig, log4jConfig, zooKeeperConfig } from './cluster-config.ts';
import type { FlinkJars } from './jars.ts';
import { type Jvm, JvmGroup, javaFlags } from './jvm.ts';
import { FlinkRest } from './rest.ts';
import { runTool, toolFailure } from './tools.ts';
import { TimedOut, until } from './waiting.ts';

const startTimeoutMs = 120_000;

/** Of the cluster, by itself or from outside. */
export class ProcessEnded extends Error {}

export class FlinkCluster {
  readonly folder: string;
  readonly rest: FlinkRest;
  readonly #jars: FlinkJars;
  readonly #jvms: JvmGroup;
  readonly #workers = new Map<string, Jvm>();
  readonly #dead: string[] = [];
  #zooKeeper: Jvm | null = null;
  #jobManager: Jvm | null = null;
  #jobManagers = 0;

  private constructor(folder: string, jars: FlinkJars, rest: FlinkRest) {
    this.folder = folder;
    this.rest = rest;
    this.#jars = jars;
    this.#jvms = new JvmGroup(jars.classpath, join(folder, 'conf', 'log4j.properties'));
  }

  /** Up, with all its workers registered. */
  static async start(jars: FlinkJars, options: ClusterOptions & { readonly workers: number }): Promise<FlinkCluster> {
    const folder = await mkdtemp(join(tmpdir(), 'jobrec-flink-'));
    const [zooKeeperPort, restPort] = [await freePort(), await freePort()];
    await writeConfig(folder, flinkConfig(options, { zooKeeperPort, restPort, folder, clusterId: 'judged' }));
    await writeFile(join(folder, 'conf', 'zoo.cfg'), zooKeeperConfig(zooKeeperPort, folder));
    const cluster = new FlinkCluster(folder, jars, new FlinkRest(restPort));
    try {
      await cluster.#startZooKeeper();
      await cluster.startJobManager();
      for (let started = 0; started < options.workers; started += 1) await cluster.startWorker();
      await cluster.#allRegistered();
      return cluster;
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  get jars(): FlinkJars {
    return this.#jars;
  }

  get highAvailabilityFolder(): string {
    return join(this.folder, 'ha');
  }

  get configFile(): string {
    return join(this.folder, 'conf', 'config.yaml');
  }

  /** Living workers, by resource id, in the order of their start. */
  get workers(): readonly string[] {
    return [...this.#workers.keys()];
  }

  /** All that were killed so far. */
  get deadWorkers(): readonly string[] {
    return this.#dead;
  }

  /** Process ids of the living workers. */
  get workerPids(): readonly number[] {
    return [...this.#workers.values()].map(({ pid }) => pid);
  }

  /** The log of the JobManager that runs now, or ran last. */
  get jobManagerLog(): string {
    return join(this.folder, 'log', `jobmanager-${this.#jobManagers}.log`);
  }

  /** @throws ProcessEnded where a process has ended that nobody here has killed */
  mustBeAlive(): void {
    const expected = { ZooKeeper: this.#zooKeeper, JobManager: this.#jobManager, ...Object.fromEntries(this.#workers) };
    const gone = Object.entries(expected).filter(([, jvm]) => jvm !== null && !this.#jvms.isAlive(jvm));
    if (gone.length > 0)
      throw new ProcessEnded(`ended by itself or from outside: ${gone.map(([name]) => name).join(', ')}`);
  }

  async startJobManager(): Promise<void> {
    this.#jobManagers += 1;
    this.#jobManager = await this.#jvms.start({
      mainClass: 'org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint',
      args: ['--configDir', join(this.folder, 'conf')],
      memory: ['-Xmx384m'],
      logFile: this.jobManagerLog,
    });
  }

  async startWorker(): Promise<void> {
    const workerId = `tm-${'abcdefghijkl'[this.#workers.size + this.#dead.length]}`;
    const temporary = join(this.folder, 'tmp', workerId);
    await mkdir(temporary, { recursive: true });
    const jvm = await this.#jvms.start({
      mainClass: 'org.apache.flink.runtime.taskexecutor.TaskManagerRunner',
      args: [
        ...['--configDir', join(this.folder, 'conf')],
        ...[`-Dtaskmanager.resource-id=${workerId}`, `-Dio.tmp.dirs=${temporary}`],
      ],
      memory: ['-Xmx288m', '-XX:MaxDirectMemorySize=256m'],
      logFile: join(this.folder, 'log', `${workerId}.log`),
    });
    this.#workers.set(workerId, jvm);
  }

  /** SIGKILL to the JobManager and these workers at once; returns when all are gone. */
  async kill(target: { readonly jobManager: boolean; readonly workers: readonly string[] }): Promise<void> {
    const victims = target.workers.map((workerId) => this.#workers.get(workerId) as Jvm);
    if (target.jobManager && this.#jobManager) victims.unshift(this.#jobManager);
    if (target.jobManager) this.#jobManager = null;
    await Promise.all(victims.map((jvm) => this.#jvms.kill(jvm)));
    for (const workerId of target.workers) {
      this.#workers.delete(workerId);
      this.#dead.push(workerId);
    }
  }

  /** Submits one of the judge's jobs, detached; its id. @throws TimedOut where nobody answers in time */
  async submit(mainClass: string, args: readonly string[]): Promise<string> {
    const client = await runTool('nice', ['-n', '10', 'java', ...this.#clientArgs(mainClass, args)], {
      timeoutMs: startTimeoutMs,
      env: { FLINK_CONF_DIR: join(this.folder, 'conf') },
    });
    const jobId = /JobID ([0-9a-f]{32})/.exec(client.output)?.[1];
    if (jobId === undefined && client.code === null) throw new TimedOut(`the job is accepted: ${client.problem}`);
    if (jobId === undefined) throw new Error(`the job was not accepted: ${toolFailure('flink run', client)}`);
    return jobId;
  }

  #clientArgs(mainClass: string, args: readonly string[]): string[] {
    return [
      ...[...javaFlags, '-Xmx256m'],
      ...[`-Dlog4j.configurationFile=${join(this.folder, 'conf', 'log4j.properties')}`, '-cp', this.#jars.classpath],
      ...['org.apache.flink.client.cli.CliFrontend', 'run', '-d', '-c', mainClass, this.#jars.jobJar, ...args],
    ];
  }

  async close(): Promise<void> {
    await this.#jvms.close();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }

  async #startZooKeeper(): Promise<void> {
    this.#zooKeeper = await this.#jvms.start({
      mainClass: 'org.apache.zookeeper.server.ZooKeeperServerMain',
      args: [join(this.folder, 'conf', 'zoo.cfg')],
      memory: ['-Xmx128m'],
      logFile: join(this.folder, 'log', 'zookeeper.log'),
    });
  }

  async #allRegistered(): Promise<void> {
    const registered = async () => {
      this.mustBeAlive();
      return (await this.rest.workers()).length === this.#workers.size ? true : null;
    };
    await until('all TaskManagers have registered', registered, { timeoutMs: startTimeoutMs });
  }
}

async function writeConfig(folder: string, config: string): Promise<void> {
  for (const name of ['conf', 'log', 'tmp', 'ha', 'zookeeper']) await mkdir(join(folder, name));
  await writeFile(join(folder, 'conf', 'config.yaml'), config);
  await writeFile(join(folder, 'conf', 'log4j.properties'), log4jConfig);
}

/** Free now; nobody else on the machine is likely to take it within the second. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
