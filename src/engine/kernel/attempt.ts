// One attempt's hold on the slot's database: its connections, its own schema for what has to be materialised, and its
// end. Invariant: when `close` has returned nothing of the attempt is left in the database, however it ended, and once
// the attempt is canceled or out of time every query and every wait in it ends soon.
import type { DuckDBConnection, DuckDBInstance, DuckDBResult, JS } from '@duckdb/node-api';
import { messageOf } from '../../model/errors.ts';
import type { Column, FoundSplit } from '../../model/job-graph.ts';
import { describeQuery } from '../../sql/duckdb.ts';
import type { PartitionVerifier } from '../partition-store/partition-verifier.ts';
import type { TaskDeployment } from '../protocol/messages.ts';
import { TaskError } from './task-error.ts';
import { timeoutMessage } from './timeout-message.ts';

/** What a slot lends to each of its attempts. */
export interface TaskEnvironment {
  readonly database: DuckDBInstance;
  readonly workerFolder: string;
  /** Aborts the attempt: it then fails as `canceled`. */
  readonly signal: AbortSignal;
  /** Asks the JobMaster for the next split of an input; null: there is none. Needed where a source has an enumerator. */
  readonly requestSplit?: (input: number) => Promise<FoundSplit | null>;
  /** Remembers which partitions were found whole; without one every task checks them again. */
  readonly verifier?: PartitionVerifier;
}

// An interrupt that comes between two steps of a query is lost, so it is said again until the query has ended.
const interruptIntervalMs = 20;

export class Attempt {
  readonly deployment: TaskDeployment;
  readonly environment: TaskEnvironment;
  /** Aborted when the attempt is canceled, out of time or closed. */
  readonly signal: AbortSignal;
  readonly #abort = new AbortController();
  readonly #connections: DuckDBConnection[] = [];
  readonly #schema: string;
  #tables = 0;
  #stop: TaskError | null = null;
  #timer: NodeJS.Timeout | undefined;
  #interrupts: NodeJS.Timeout | undefined;
  readonly #onCancel = () => this.#stopWith(new TaskError('canceled', 'canceled'));

  private constructor(deployment: TaskDeployment, environment: TaskEnvironment) {
    this.deployment = deployment;
    this.environment = environment;
    this.signal = this.#abort.signal;
    const { vertexId, subtask, attempt } = deployment.execution;
    this.#schema = `"task_${vertexId}_${subtask}_${attempt}_${deployment.epoch}"`;
  }

  static async open(deployment: TaskDeployment, environment: TaskEnvironment): Promise<Attempt> {
    const attempt = new Attempt(deployment, environment);
    attempt.#watch();
    await attempt.connect();
    return attempt;
  }

  /** One more connection, closed with the attempt. */
  async connect(): Promise<DuckDBConnection> {
    this.throwIfStopped();
    const connection = await this.environment.database.connect();
    this.#connections.push(connection);
    return connection;
  }

  /** Runs statements; gives the first row's first column as a number (for COPY: the rows written), else 0. */
  async run(sql: string): Promise<number> {
    const [row] = await this.rows(sql);
    return row === undefined ? 0 : Number(row[0]);
  }

  /** Runs a query and reads its whole answer. */
  async rows(sql: string): Promise<JS[][]> {
    return this.guard(async () => (await this.#main.runAndReadAll(sql)).getRowsJS());
  }

  /** Starts a query on a connection of its own, so that others can run while its answer is read. */
  async stream(sql: string): Promise<DuckDBResult> {
    const connection = await this.connect();
    return this.guard(() => connection.stream(sql));
  }

  async describe(sql: string): Promise<Column[]> {
    return this.guard(() => describeQuery(this.#main, sql));
  }

  /** The name of a new table of this attempt, visible to all its connections. */
  async newTable(): Promise<{ readonly schema: string; readonly table: string; readonly qualified: string }> {
    if (this.#tables === 0) await this.run(`CREATE SCHEMA ${this.#schema}`);
    const table = `t${this.#tables++}`;
    return { schema: this.#schema.slice(1, -1), table, qualified: `${this.#schema}.${table}` };
  }

  /** Runs `work`; a failure while the attempt is being stopped is the stop, whatever was thrown. */
  async guard<T>(work: () => Promise<T>): Promise<T> {
    this.throwIfStopped();
    try {
      return await work();
    } catch (error) {
      this.throwIfStopped();
      throw error;
    }
  }

  throwIfStopped(): void {
    if (this.#stop !== null) throw this.#stop;
  }

  /** `promise`, or the stop if that comes first: for waits that no interrupt ends. */
  async orStopped<T>(promise: Promise<T>): Promise<T> {
    this.throwIfStopped();
    let onAbort = () => {};
    const stopped = new Promise<never>((_, reject) => {
      onAbort = () => reject(this.#stop);
      this.signal.addEventListener('abort', onAbort, { once: true });
    });
    try {
      return await Promise.race([promise, stopped]);
    } finally {
      this.signal.removeEventListener('abort', onAbort);
    }
  }

  /** Never throws for what the attempt did; a database that cannot drop its tables is given up by its caller. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    clearInterval(this.#interrupts);
    this.environment.signal.removeEventListener('abort', this.#onCancel);
    this.#abort.abort();
    for (const connection of this.#connections) connection.interrupt();
    for (const connection of this.#connections) connection.closeSync();
    if (this.#tables > 0) await this.#dropSchema();
  }

  get #main(): DuckDBConnection {
    return this.#connections[0] as DuckDBConnection;
  }

  async #dropSchema(): Promise<void> {
    const connection = await this.environment.database.connect();
    try {
      await connection.run(`DROP SCHEMA IF EXISTS ${this.#schema} CASCADE`);
    } catch (cause) {
      throw new Error(`the tables of an attempt could not be dropped: ${messageOf(cause)}`, { cause });
    } finally {
      connection.closeSync();
    }
  }

  #watch(): void {
    const { signal } = this.environment;
    const { timeoutMs } = this.deployment;
    if (signal.aborted) this.#onCancel();
    else signal.addEventListener('abort', this.#onCancel, { once: true });
    if (timeoutMs === null) return;
    const late = () => this.#stopWith(new TaskError('task', timeoutMessage(timeoutMs)));
    this.#timer = setTimeout(late, timeoutMs);
  }

  #stopWith(reason: TaskError): void {
    if (this.#stop !== null) return;
    this.#stop = reason;
    const interrupt = () => {
      for (const connection of this.#connections) connection.interrupt();
    };
    interrupt();
    this.#interrupts = setInterval(interrupt, interruptIntervalMs);
    this.#abort.abort(reason);
  }
}
