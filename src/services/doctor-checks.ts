// What has to hold in a cluster's configuration for batch jobs to survive their JobManager: one check an option, data
// first. Defaults are Flink's (1.20 and 2.x agree on all of them). Spec: docs/commands.md "doctor".
import { parseDurationMs } from '../model/config-values.ts';
import type { DoctorCode, DoctorFinding } from './doctor-report.ts';

type Verdict = Pick<DoctorFinding, 'code' | 'severity' | 'message' | 'fix'> | null;

interface OptionCheck {
  /** The option, then older names of it. */
  readonly names: readonly [string, ...string[]];
  /** Judges the raw value; null: not set. */
  readonly judge: (value: string | null, options: ReadonlyMap<string, string>) => Verdict;
}

const recovery = 'execution.batch.job-recovery';

export const optionChecks: readonly OptionCheck[] = [
  {
    names: ['high-availability.type', 'high-availability'],
    judge: (value) =>
      value === null || /^none$/i.test(value)
        ? error(
            'HA_OFF',
            'high availability is off: a lost JobManager takes its jobs along',
            'high-availability.type: zookeeper',
          )
        : null,
  },
  {
    names: ['high-availability.storageDir', 'high-availability.zookeeper.storageDir'],
    judge: (value) => {
      const fix = 'high-availability.storageDir: s3://bucket/flink-ha';
      if (value === null)
        return error('HA_STORAGE_MISSING', 'there is no place for job events and submitted jobs', fix);
      if (!/^(file:|\/)/.test(value)) return null;
      const message =
        'job events lie on a local file system: a JobManager on another machine finds them only if it is shared';
      return warning('HA_STORAGE_LOCAL', message, fix);
    },
  },
  {
    names: [`${recovery}.enabled`],
    judge: (value) =>
      /^true$/i.test(value ?? '')
        ? null
        : error(
            'RECOVERY_OFF',
            'batch job recovery is off (the default): a new JobManager starts jobs from scratch',
            `${recovery}.enabled: true`,
          ),
  },
  {
    names: ['jobmanager.scheduler'],
    judge: (value) =>
      value === null || /^adaptive-?batch$/i.test(value)
        ? null
        : error(
            'SCHEDULER',
            `only the AdaptiveBatch scheduler records job events; ${value} silently does not`,
            'jobmanager.scheduler: AdaptiveBatch',
          ),
  },
  {
    names: ['shuffle-service-factory.class'],
    judge: (value) => {
      if (value === null || value.endsWith('.NettyShuffleServiceFactory')) return null;
      const message = `recovery is silently off unless the shuffle master of ${value} supports batch snapshots; remote shuffle services do not`;
      return warning(
        'SHUFFLE_MASTER',
        message,
        'shuffle-service-factory.class: org.apache.flink.runtime.io.network.NettyShuffleServiceFactory',
      );
    },
  },
  {
    names: ['execution.batch-shuffle-mode'],
    judge: (value) =>
      value === null || /BLOCKING$/.test(value)
        ? null
        : warning(
            'SHUFFLE_MODE',
            `results of ${value} exchanges do not outlive their consumers, so finished work runs again`,
            'execution.batch-shuffle-mode: ALL_EXCHANGES_BLOCKING',
          ),
  },
  {
    names: ['execution.runtime-mode'],
    judge: (value) =>
      value === null || /^streaming$/i.test(value)
        ? info(
            'RUNTIME_MODE',
            'jobs that do not ask for batch mode run as streaming jobs, which recover from checkpoints',
            'execution.runtime-mode: BATCH',
          )
        : null,
  },
  {
    names: [`${recovery}.snapshot.min-pause`],
    judge: (value) =>
      judgeDuration(value, '3 min', `${recovery}.snapshot.min-pause`, (milliseconds, text) =>
        milliseconds === 0
          ? null
          : warning(
              'SNAPSHOT_PAUSE',
              `tasks that finish within ${text} after a snapshot run again after a failover, though their results are there`,
              `${recovery}.snapshot.min-pause: 0 ms`,
            ),
      ),
  },
  {
    names: ['job-event.store.write-buffer.flush-interval'],
    judge: (value) =>
      judgeDuration(value, '1 s', 'job-event.store.write-buffer.flush-interval', (milliseconds, text) => {
        if (milliseconds <= 200) return null;
        const message = `events of the last ${text} are lost with the JobManager; a job whose next vertex was only initialized in them hangs for ever`;
        const fix = 'job-event.store.write-buffer.flush-interval: 200 ms';
        return milliseconds > 1000 ? warning('FLUSH_INTERVAL', message, fix) : info('FLUSH_INTERVAL', message, fix);
      }),
  },
  {
    names: [`${recovery}.previous-worker.recovery.timeout`],
    judge: (value) =>
      judgeDuration(value, '30 s', `${recovery}.previous-worker.recovery.timeout`, (milliseconds, text) =>
        milliseconds >= 10_000
          ? null
          : warning(
              'WORKER_TIMEOUT',
              `a TaskManager that is not back within ${text} counts as lost, with all results that it holds`,
              `${recovery}.previous-worker.recovery.timeout: 30 s`,
            ),
      ),
  },
  {
    names: ['restart-strategy.type', 'restart-strategy'],
    judge: (value) =>
      value !== null && !/^(none|off|disable)$/i.test(value)
        ? null
        : warning(
            'RESTART_STRATEGY',
            'without a restart strategy the first failed task fails the job, also one that misses a result after a failover',
            'restart-strategy.type: exponential-delay',
          ),
  },
];

function judgeDuration(
  value: string | null,
  fallback: string,
  option: string,
  judge: (milliseconds: number, text: string) => Verdict,
): Verdict {
  const text = value ?? fallback;
  const milliseconds = parseDurationMs(text);
  if (milliseconds !== null) return judge(milliseconds, text);
  return error('VALUE_INVALID', `"${text}" is no duration`, `${option}: ${fallback}`);
}

function finding(severity: DoctorFinding['severity']) {
  return (code: DoctorCode, message: string, fix: string | null): Verdict => ({ code, severity, message, fix });
}

const error = finding('error');
const warning = finding('warning');
const info = finding('info');
