// doctor: whether job recovery is really on in a Flink cluster, before it is needed. Flink turns it off silently for
// several reasons, and says nothing of settings that lose progress. Reads only. Spec: docs/commands.md "doctor".
import type { FlinkJob } from '../model/flink-job.ts';
import { joinJobs, readJobFile } from '../store/flink/job-file.ts';
import { optionChecks } from './doctor-checks.ts';
import type { DoctorFinding, DoctorReport } from './doctor-report.ts';
import { readFlinkConfig } from './flink-config.ts';

export interface DoctorOptions {
  /** A configuration file, or the URL of a REST interface. */
  readonly target: string;
  /** Submitted jobs whose sources to look at. */
  readonly topology: readonly string[];
}

export async function diagnose({ target, topology }: DoctorOptions): Promise<DoctorReport> {
  const { options, flinkVersion } = await readFlinkConfig(target);
  const job = joinJobs(await Promise.all(topology.map(readJobFile)));
  const findings = [...optionFindings(options), ...(job === null ? [] : sourceFindings(job))];
  const has = (severity: DoctorFinding['severity']) => findings.some((each) => each.severity === severity);
  return {
    ok: !has('error') && !has('warning'),
    recovery: has('error') ? 'off' : has('warning') ? 'on-with-loss' : 'on',
    target,
    flinkVersion,
    findings,
  };
}

/** In the order of the checks, which is the order of importance. */
export function optionFindings(options: ReadonlyMap<string, string>): DoctorFinding[] {
  return optionChecks.flatMap(({ names, judge }) => {
    const set = names.find((name) => options.has(name));
    const value = set === undefined ? null : (options.get(set) ?? null);
    const verdict = judge(value, options);
    return verdict === null ? [] : [{ ...verdict, option: set ?? names[0], value }];
  });
}

const supporting = /\.(FileSource|HiveSource|NumberSequenceSource)$/;

function sourceFindings(job: FlinkJob): DoctorFinding[] {
  return job.vertices.flatMap(({ id, name, coordinators }): DoctorFinding[] => {
    const isSource = !job.edges.some((edge) => edge.consumerVertexId === id);
    const label = name ?? id;
    if (isSource && coordinators?.length === 0) {
      const message = `${label} is a source of the old kind (no coordinator): recovery is silently off for this job`;
      return [{ code: 'LEGACY_SOURCE', severity: 'error', option: null, value: null, message, fix: null }];
    }
    const unknown = (coordinators ?? []).filter(
      ({ sourceClass }) => sourceClass !== null && !supporting.test(sourceClass),
    );
    return unknown.map(({ sourceClass }) => {
      const message = `${label} reads ${sourceClass}: unless its enumerator supports batch snapshots, all its tasks start over with the first that restarts`;
      return { code: 'SOURCE_UNKNOWN', severity: 'warning', option: null, value: null, message, fix: null };
    });
  });
}
