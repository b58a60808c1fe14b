// The judge's truth comes from a JobManager's log; these are lines of real ones (1.20.3 and 2.3.0).
import { describe, expect, it } from 'vitest';
import { parseMasterLog } from './master-log.ts';

const source = 'cbc357ccb763df2852fee8c4fc7d55f2';
const map = '1a936cb48657826a536f331e9fb33b5e';
const lines = {
  reconciling:
    '21:54:40.688 INFO  ExecutionGraph - Job lab-d (d5932253cf5b38b615d8ba479217ac0b) switched from state CREATED to RECONCILING.',
  restored: `21:54:40.762 INFO  ExecutionGraph - Source: files-src -> src (2/4) (a1dba930a302f409b1f784004f4b1d5b_${source}_1_0) switched from CREATED to FINISHED.`,
  missed: `03:58:07.926 INFO  DefaultBatchJobRecoveryHandler - Partitions to be released: [${map}#0@9c561354a792611d88cd13b024a4c24f_${map}_0_0], missed partitions: [6366001cd4d5af210c0d077c042a4683#1@9c561354a792611d88cd13b024a4c24f_${map}_1_1, ${source}#12@9c561354a792611d88cd13b024a4c24f_${source}_2_0], partitions to be reserved: [${source}#3@9c561354a792611d88cd13b024a4c24f_${source}_3_0].`,
  late: '21:27:04.994 INFO  JobMaster - Received late report of partition metrics from tm-c. Release the partitions.',
  running:
    '21:54:41.046 INFO  ExecutionGraph - Job lab-d (d5932253cf5b38b615d8ba479217ac0b) switched from state RECONCILING to RUNNING.',
  deploying: `21:53:59.027 INFO  ExecutionGraph - Deploying Source: files-src -> src (3/4) (attempt #1) with attempt id 12137740767f09d83ef903c3b0a35920_${source}_2_1 and vertex id ${source}_2 to tm-c @ localhost (dataPort=46793) with allocation id 0db7a72669089ed9ade2fcd06af65aef`,
  finished: `21:54:41.426 INFO  ExecutionGraph - p2 (3/4) (d054e511954bfba6ae1a3924cb48ad13_${map}_2_0) switched from RUNNING to FINISHED.`,
  failed: `21:27:28.058 INFO  ExecutionGraph - m1 (1/4) (206448413996d6d465a30e4dadf19eef_${map}_0_0) switched from RUNNING to FAILED on tm-c @ localhost (dataPort=35445).`,
  application:
    '21:44:48.585 INFO  AbstractApplication - Application SingleJobApplication(lab-a) (4b4a3f7ffd16b15f56f7fd1fd3d0f1ec) switched from state RUNNING to FINISHED.',
  ended:
    '21:44:48.584 INFO  ExecutionGraph - Job lab-a (4b4a3f7ffd16b15f56f7fd1fd3d0f1ec) switched from state RUNNING to FINISHED.',
} as const;

const parsed = (...names: (keyof typeof lines)[]) => parseMasterLog(names.map((name) => lines[name]).join('\n'));

describe('the log of a JobManager', () => {
  it('tells what was restored, what was deployed, and what finished', () => {
    const log = parsed('reconciling', 'restored', 'running', 'deploying', 'finished');
    expect([...log.restored]).toEqual([`${source}#1`]);
    expect([...log.deployed]).toEqual([`${source}#2`]);
    expect([...log.finished]).toEqual([`${source}#1`, `${map}#2`]);
  });

  it('tells which partitions were missing', () => {
    expect([...parsed('missed').missing]).toEqual(['6366001cd4d5af210c0d077c042a4683#1', `${source}#12`]);
  });

  it('tells when the job is taken up again, and when it has ended', () => {
    expect(parsed('reconciling', 'application').recovered).toBe(false);
    expect(parsed('reconciling', 'running').recovered).toBe(true);
    // 2.x has applications around jobs, with states of their own.
    expect(parsed('running', 'application').jobResult).toBeNull();
    expect(parsed('running', 'ended').jobResult).toBe('FINISHED');
  });

  it('tells what makes a run worthless, and failures', () => {
    expect(parsed('running', 'late').lateReports).toBe(1);
    expect(parsed('running', 'failed').failures).toEqual([lines.failed]);
    expect(parsed('running', 'failed').finished.size).toBe(0);
  });

  it('tells which workers it gave up', () => {
    const lost = (line: string) => [...parseMasterLog(line).lostWorkers];
    const [job, resources] = ['INFO  JobMaster - ', 'INFO  ResourceManager - '];
    expect(lost(`${job}Heartbeat of TaskManager with id tm-b(127.0.0.1:4 {}) timed out.`)).toEqual(['tm-b']);
    expect(lost(`${resources}The heartbeat of TaskManager with id tm-b timed out.`)).toEqual(['tm-b']);
    expect(lost(`${job}TaskManager with id tm-c is no longer reachable.`)).toEqual(['tm-c']);
    expect(lost(`${job}Registering TaskManager with id tm-c`)).toEqual([]);
  });

  it('is empty for no log', () => {
    expect(parseMasterLog('')).toMatchObject({ recovered: false, jobResult: null, lateReports: 0 });
  });
});
