// From a source's or sink's entry in the job file to its connector: exactly one kind each, with everything optional
// filled in and paths absolute. Errors name file, line and column.
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import type { GeneratedColumn, OperatorSpec, SinkConnector, SourceConnector } from '../../model/streaming-plan.ts';
import type { KeyPath, Places } from '../job-file/places.ts';
import type { StreamSinkEntry, StreamSourceEntry } from './schema.ts';

const sourceKinds = ['log', 'kafka', 'socket', 'generator'] as const;
const sinkKinds = ['print', 'path', 'kafka'] as const;

export function sourceSpec(
  name: string,
  entry: StreamSourceEntry,
  folder: string,
  places: Places,
): Extract<OperatorSpec, { kind: 'source' }> {
  const path = ['sources', name];
  requireOne(entry, sourceKinds, path, places);
  const connector = sourceConnector(entry, folder, path, places);
  if (connector.kind === 'generator' && entry.format !== undefined) {
    throw places.error('JOB_FILE_INVALID', [...path, 'format'], 'a generator makes rows: it has no format');
  }
  return { kind: 'source', connector, format: entry.format ?? 'json', onBadRow: entry.onBadRow ?? 'fail' };
}

function sourceConnector(entry: StreamSourceEntry, folder: string, path: KeyPath, places: Places): SourceConnector {
  if (entry.log !== undefined) {
    const log = typeof entry.log === 'string' ? { path: entry.log } : entry.log;
    const startingOffsets = log.startingOffsets ?? 'earliest';
    return { kind: 'log', path: resolve(folder, log.path), startingOffsets, bounded: log.bounded ?? false };
  }
  if (entry.kafka !== undefined) {
    requireKafkaClient([...path, 'kafka'], places);
    const { bootstrapServers, topic, groupId = null, startingOffsets = 'earliest' } = entry.kafka;
    return { kind: 'kafka', bootstrapServers, topic, groupId, startingOffsets };
  }
  if (entry.socket !== undefined) return socketConnector(entry.socket, [...path, 'socket'], places);
  const { rowsPerSecond = null, rows = null, columns = {} } = entry.generator ?? {};
  const generated = Object.entries(columns).map(([column, what]) => {
    return [column, generatedColumn(what, [...path, 'generator', 'columns', column], places)] as const;
  });
  return { kind: 'generator', rowsPerSecond, rows, columns: Object.fromEntries(generated) };
}

function socketConnector(address: string, path: KeyPath, places: Places): SourceConnector {
  const match = /^(?<host>[^:\s]+|\[[^\]\s]+\]):(?<port>\d{1,5})$/.exec(address);
  const port = Number(match?.groups?.port ?? 0);
  if (port < 1 || port > 65_535) {
    throw places.error('JOB_FILE_INVALID', path, `socket takes host:port, for example localhost:9999, not ${address}`);
  }
  return { kind: 'socket', host: (match?.groups?.host ?? '').replace(/^\[|\]$/g, ''), port };
}

type ColumnEntry = NonNullable<StreamSourceEntry['generator']>['columns'][string];

function generatedColumn(what: ColumnEntry, path: KeyPath, places: Places): GeneratedColumn {
  if (typeof what === 'string') return { kind: 'sequence' };
  requireOne(what, ['random', 'choice', 'time'], path, places);
  if (what.choice) return { kind: 'choice', values: what.choice };
  if (what.time) return { kind: 'time', startMs: what.time.start ?? 0, stepMs: what.time.step };
  const [min, max] = what.random ?? [0, 0];
  if (min <= max) return { kind: 'random', min, max };
  throw places.error('JOB_FILE_INVALID', [...path, 'random'], `random takes the least first, not [${min}, ${max}]`);
}

export function sinkConnector(name: string, entry: StreamSinkEntry, folder: string, places: Places): SinkConnector {
  requireOne(entry, sinkKinds, ['sinks', name], places);
  if (entry.kafka) {
    requireKafkaClient(['sinks', name, 'kafka'], places);
    const { bootstrapServers, topic, key = null } = entry.kafka;
    return { kind: 'kafka', bootstrapServers, topic, key };
  }
  if (entry.path !== undefined) {
    return { kind: 'file', path: resolve(folder, entry.path), format: entry.format ?? 'json' };
  }
  return { kind: 'print' };
}

function requireOne(entry: object, kinds: readonly string[], path: KeyPath, places: Places): void {
  const given = kinds.filter((kind) => (entry as Record<string, unknown>)[kind] !== undefined);
  if (given.length === 1) return;
  const [, second = ''] = given;
  const subject = path.join('.');
  if (given.length === 0) {
    throw places.error('JOB_FILE_INVALID', path, `${subject} needs one of ${kinds.join(', ')}`, { atKey: true });
  }
  const message = `${subject} has ${given.join(' and ')}; it takes one of ${kinds.join(', ')}`;
  throw places.error('JOB_FILE_INVALID', [...path, second], message, { atKey: true });
}

/** An optional dependency: asked for before the job starts, not when its tasks do, again and again. */
function requireKafkaClient(path: KeyPath, places: Places): void {
  try {
    createRequire(import.meta.url).resolve('kafkajs');
  } catch (cause) {
    throw places.error('JOB_FILE_INVALID', path, 'Kafka needs the package kafkajs, which is not installed', {
      atKey: true,
      hint: 'npm install kafkajs, in the folder where jobrec is installed (with --global where jobrec is)',
      cause,
    });
  }
}
