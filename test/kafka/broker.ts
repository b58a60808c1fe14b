// One real Kafka broker (KRaft, broker and controller in one process) for the tests of Kafka sources and sinks. It
// listens on loopback only, in a folder of its own; close() ends it by its process id and removes the folder. Where Java or
// Maven is missing, kafkaBroker() says so and the tests skip with that reason.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { log4jConfig } from '../flink/cluster-config.ts';
import { type Jvm, JvmGroup } from '../flink/jvm.ts';
import { until } from '../flink/waiting.ts';
import { mavenLibrary } from '../support/maven-library.ts';

const startTimeoutMs = 60_000;
/** Always the same: of random ids, one in 64 begins with a hyphen, which the tool takes for an option. */
const clusterId = Buffer.from('jobrec-test-0001').toString('base64url');
const memory = ['-Xms128m', '-Xmx512m'];

export class KafkaBroker {
  readonly bootstrapServers: string;
  readonly #folder: string;
  readonly #port: number;
  readonly #jvms: JvmGroup;
  #jvm: Jvm | null = null;

  private constructor(folder: string, port: number, jvms: JvmGroup) {
    this.bootstrapServers = `127.0.0.1:${port}`;
    this.#folder = folder;
    this.#port = port;
    this.#jvms = jvms;
  }

  /** A running broker without topics; `jars` is the folder of its jars. */
  static async start(jars: string, attemptsLeft = 3): Promise<KafkaBroker> {
    const folder = await mkdtemp(join(tmpdir(), 'jobrec-kafka-'));
    const [port, controllerPort] = await freePorts();
    await writeFile(join(folder, 'server.properties'), serverProperties(folder, port, controllerPort));
    await writeFile(join(folder, 'log4j.properties'), log4jConfig);
    const jvms = new JvmGroup(join(jars, '*'), join(folder, 'log4j.properties'));
    const broker = new KafkaBroker(folder, port, jvms);
    try {
      await broker.#format();
      await broker.restart();
      return broker;
    } catch (error) {
      await broker.close();
      // A port that was free may be another process's by now.
      const isTaken = error instanceof Error && error.message.includes('BindException');
      if (isTaken && attemptsLeft > 1) return KafkaBroker.start(jars, attemptsLeft - 1);
      throw error;
    }
  }

  /** Starts it over what it had written, if it does not run. */
  async restart(): Promise<void> {
    if (this.#jvm !== null) return;
    const jvm = await this.#java('kafka.Kafka', [this.#config()]);
    this.#jvm = jvm;
    await until('the broker accepts connections', () => this.#answers(jvm), { timeoutMs: startTimeoutMs });
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    if (this.#jvm !== null) await this.#jvms.kill(this.#jvm);
    this.#jvm = null;
  }

  async close(): Promise<void> {
    this.#jvm = null;
    await this.#jvms.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #format(): Promise<void> {
    const format = await this.#java('kafka.tools.StorageTool', ['format', '-t', clusterId, '-c', this.#config()]);
    if ((await format.ended) !== 0) throw new Error(`formatting for the broker failed:\n${await logEnd(format)}`);
  }

  #config(): string {
    return join(this.#folder, 'server.properties');
  }

  #java(mainClass: string, args: readonly string[]): Promise<Jvm> {
    return this.#jvms.start({ mainClass, args, memory, logFile: join(this.#folder, `${mainClass}.log`) });
  }

  async #answers(jvm: Jvm): Promise<true | null> {
    if (!this.#jvms.isAlive(jvm)) throw new Error(`the Kafka broker ended:\n${await logEnd(jvm)}`);
    return (await accepts(this.#port)) ? true : null;
  }
}

async function logEnd(jvm: Jvm): Promise<string> {
  return (await readFile(jvm.logFile, 'utf8')).slice(-8000);
}

export type BrokerAnswer = { readonly broker: KafkaBroker } | { readonly missing: string };

/** A running broker, or why there is none on this machine. */
export async function kafkaBroker(): Promise<BrokerAnswer> {
  const pom = fileURLToPath(new URL('./pom.xml', import.meta.url));
  const library = await mavenLibrary({ pom, name: 'kafka', oldestJava: 17 });
  return 'missing' in library ? library : { broker: await KafkaBroker.start(library.folder) };
}

function serverProperties(folder: string, port: number, controllerPort: number): string {
  return [
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.voters=1@127.0.0.1:${controllerPort}`,
    `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    `advertised.listeners=PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names=CONTROLLER',
    'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    `log.dirs=${join(folder, 'data')}`,
    'auto.create.topics.enable=false',
    // One broker holds every replica, and a new consumer group starts at once.
    'offsets.topic.replication.factor=1',
    'offsets.topic.num.partitions=1',
    'transaction.state.log.replication.factor=1',
    'transaction.state.log.min.isr=1',
    'group.initial.rebalance.delay.ms=0',
    // A broker that was killed is taken back at once.
    'broker.heartbeat.interval.ms=500',
    'broker.session.timeout.ms=1500',
    '',
  ].join('\n');
}

async function freePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()];
  const ports: number[] = [];
  for (const server of servers) {
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no free port');
    ports.push(address.port);
  }
  for (const server of servers) await new Promise((resolve) => server.close(resolve));
  return ports as [number, number];
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
