// The settings of the judge's clusters: ZooKeeper for high availability, everything on loopback, small memory, short
// timeouts, job recovery on. What a scenario varies comes in as options.
import { stringify } from 'yaml';

export interface ClusterOptions {
  readonly slotsPerWorker: number;
  /** Flink durations, e.g. `0 ms`. */
  readonly snapshotMinPause: string;
  readonly flushInterval: string;
}

export interface ClusterAddresses {
  readonly zooKeeperPort: number;
  readonly restPort: number;
  /** Folder of the cluster; the high-availability folder lies in it. */
  readonly folder: string;
  readonly clusterId: string;
}

/** config.yaml, in flat keys: read by 1.20 and 2.x alike. */
export function flinkConfig(options: ClusterOptions, addresses: ClusterAddresses): string {
  return stringify({
    ...highAvailability(addresses),
    ...recovery(options),
    ...loopback(addresses),
    ...memory,
    'taskmanager.numberOfTaskSlots': options.slotsPerWorker,
    'io.tmp.dirs': `${addresses.folder}/tmp`,
    'classloader.check-leaked-classloader': false,
  });
}

function highAvailability({ zooKeeperPort, folder, clusterId }: ClusterAddresses) {
  return {
    'high-availability.type': 'zookeeper',
    'high-availability.zookeeper.quorum': `127.0.0.1:${zooKeeperPort}`,
    'high-availability.zookeeper.path.root': '/judge',
    'high-availability.storageDir': `file://${folder}/ha`,
    'high-availability.cluster-id': clusterId,
    // How long a new JobManager waits for the old one's leadership to end.
    'high-availability.zookeeper.client.session-timeout': '4000 ms',
    'high-availability.zookeeper.client.connection-timeout': '4000 ms',
    'high-availability.zookeeper.client.retry-wait': '500 ms',
  };
}

function recovery({ snapshotMinPause, flushInterval }: ClusterOptions) {
  return {
    'execution.batch.job-recovery.enabled': true,
    'execution.batch.job-recovery.previous-worker.recovery.timeout': '10 s',
    'execution.batch.job-recovery.snapshot.min-pause': snapshotMinPause,
    'job-event.store.write-buffer.flush-interval': flushInterval,
    'execution.runtime-mode': 'BATCH',
    'execution.batch-shuffle-mode': 'ALL_EXCHANGES_BLOCKING',
    'execution.batch.adaptive.auto-parallelism.min-parallelism': 1,
    'execution.batch.adaptive.auto-parallelism.max-parallelism': 4,
    'execution.batch.adaptive.auto-parallelism.avg-data-volume-per-task': '1 kb',
    'execution.batch.adaptive.auto-parallelism.default-source-parallelism': 4,
    'restart-strategy.type': 'fixed-delay',
    'restart-strategy.fixed-delay.attempts': 100,
    'restart-strategy.fixed-delay.delay': '200 ms',
    'heartbeat.interval': 2000,
    'heartbeat.timeout': 8000,
    // A worker that registers twice at a slow JobMaster reports its partitions late, and spoils the run.
    'cluster.registration.initial-timeout': '8 s',
    // On a busy machine a JobManager gives itself up after the default of 10 s.
    'pekko.startup-timeout': '100 s',
  };
}

function loopback({ restPort }: ClusterAddresses) {
  return {
    'jobmanager.rpc.address': '127.0.0.1',
    'jobmanager.bind-host': '127.0.0.1',
    'taskmanager.host': '127.0.0.1',
    'taskmanager.bind-host': '127.0.0.1',
    'rest.address': '127.0.0.1',
    'rest.bind-address': '127.0.0.1',
    'rest.port': restPort,
    'web.submit.enable': false,
    // Else REST answers with up to 3 s old figures.
    'web.refresh-interval': 500,
  };
}

/** A TaskManager that no script starts needs all of these said. */
const memory = {
  'jobmanager.memory.heap.size': '384m',
  'taskmanager.cpu.cores': 2,
  'taskmanager.memory.task.heap.size': '128m',
  'taskmanager.memory.task.off-heap.size': '0m',
  'taskmanager.memory.framework.heap.size': '128m',
  'taskmanager.memory.framework.off-heap.size': '128m',
  'taskmanager.memory.managed.size': '128m',
  'taskmanager.memory.network.min': '64m',
  'taskmanager.memory.network.max': '64m',
  // Else each blocking output takes 16 MB of these.
  'taskmanager.network.sort-shuffle.min-buffers': 16,
  'taskmanager.memory.jvm-metaspace.size': '128m',
  'taskmanager.memory.jvm-overhead.min': '64m',
  'taskmanager.memory.jvm-overhead.max': '64m',
};

export function zooKeeperConfig(port: number, folder: string): string {
  const settings = {
    tickTime: 500,
    dataDir: `${folder}/zookeeper`,
    clientPort: port,
    clientPortAddress: '127.0.0.1',
    'admin.enableServer': false,
    maxClientCnxns: 0,
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

/** To standard output, which the process's log file is. */
export const log4jConfig = `
rootLogger.level = INFO
rootLogger.appenderRef.out.ref = Out
appender.out.name = Out
appender.out.type = CONSOLE
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{HH:mm:ss.SSS} %-5p %c{1} - %m%n
`;
