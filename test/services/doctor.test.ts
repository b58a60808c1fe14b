// doctor: each option judged as set, unset and wrong; configurations in every spelling; the sources of submitted jobs.
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { diagnose, optionFindings } from '../../src/services/doctor.ts';
import { parseFlinkConfig } from '../../src/services/flink-config.ts';
import { capturesFolder } from '../support/flink-capture.ts';
import { temporaryFolder } from '../support/sample-store.ts';

const sound = {
  'high-availability.type': 'zookeeper',
  'high-availability.storageDir': 's3://bucket/ha',
  'execution.batch.job-recovery.enabled': 'true',
  'execution.batch.job-recovery.snapshot.min-pause': '0 ms',
  'job-event.store.write-buffer.flush-interval': '100 ms',
  'execution.runtime-mode': 'BATCH',
  'restart-strategy.type': 'fixed-delay',
};

const codes = (options: Readonly<Record<string, string>>) =>
  optionFindings(new Map(Object.entries(options))).map(({ severity, code }) => `${severity} ${code}`);

describe('doctor', () => {
  it('has nothing to say of a sound configuration', () => expect(codes(sound)).toEqual([]));

  it('names all that the defaults lack', () => {
    expect(codes({})).toEqual([
      'error HA_OFF',
      'error HA_STORAGE_MISSING',
      'error RECOVERY_OFF',
      'info RUNTIME_MODE',
      'warning SNAPSHOT_PAUSE',
      'info FLUSH_INTERVAL',
      'warning RESTART_STRATEGY',
    ]);
  });

  it.each([
    ['high-availability.type', 'NONE', 'error HA_OFF'],
    ['high-availability.storageDir', 'file:///ha', 'warning HA_STORAGE_LOCAL'],
    ['execution.batch.job-recovery.enabled', 'false', 'error RECOVERY_OFF'],
    ['jobmanager.scheduler', 'Adaptive', 'error SCHEDULER'],
    ['shuffle-service-factory.class', 'org.example.RemoteShuffleServiceFactory', 'warning SHUFFLE_MASTER'],
    ['execution.batch-shuffle-mode', 'ALL_EXCHANGES_PIPELINED', 'warning SHUFFLE_MODE'],
    ['execution.batch.job-recovery.snapshot.min-pause', '3 min', 'warning SNAPSHOT_PAUSE'],
    ['execution.batch.job-recovery.snapshot.min-pause', 'soon', 'error VALUE_INVALID'],
    ['job-event.store.write-buffer.flush-interval', '10 min', 'warning FLUSH_INTERVAL'],
    ['execution.batch.job-recovery.previous-worker.recovery.timeout', '1 s', 'warning WORKER_TIMEOUT'],
    ['restart-strategy.type', 'none', 'warning RESTART_STRATEGY'],
  ])('%s: %s', (option, value, expected) => expect(codes({ ...sound, [option]: value })).toEqual([expected]));

  it.each([
    ['jobmanager.scheduler', 'AdaptiveBatch'],
    ['shuffle-service-factory.class', 'org.apache.flink.runtime.io.network.NettyShuffleServiceFactory'],
    ['execution.batch-shuffle-mode', 'ALL_EXCHANGES_BLOCKING'],
  ])('%s: %s is sound', (option, value) => expect(codes({ ...sound, [option]: value })).toEqual([]));

  it('reads nested and flat configurations alike', () => {
    const nested = parseFlinkConfig('high-availability:\n  type: zookeeper\nrest.port: 8081\n', 'config.yaml');
    expect([...nested]).toEqual([
      ['high-availability.type', 'zookeeper'],
      ['rest.port', '8081'],
    ]);
    expect(() => parseFlinkConfig('- a\n- b\n', 'list.yaml')).toThrow(/list\.yaml: holds no options/);
    expect(() => parseFlinkConfig('a: [', 'bad.yaml')).toThrow(/bad\.yaml: is not YAML/);
  });

  it('judges the sources of a submitted job', async () => {
    const config = join(temporaryFolder(), 'config.yaml');
    writeFileSync(
      config,
      Object.entries(sound)
        .map(([option, value]) => `${option}: ${value}\n`)
        .join(''),
    );
    const jobOf = (capture: string) => {
      const folder = join(capturesFolder, capture, 'ha-files');
      return [join(folder, readdirSync(folder)[0] ?? '')];
    };
    const files = await diagnose({ target: config, topology: jobOf('1.20.3/s01-jm-only-mid') });
    expect(files).toMatchObject({ ok: true, recovery: 'on', findings: [] });
    const custom = await diagnose({ target: config, topology: jobOf('2.3.0/s04b-nosnapshot-needed-later') });
    expect(custom).toMatchObject({ ok: false, recovery: 'on-with-loss', findings: [{ code: 'SOURCE_UNKNOWN' }] });
  });
});
