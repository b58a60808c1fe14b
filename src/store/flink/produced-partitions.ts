// The result partitions that a finished event names with their sizes. Flink drops this map before it writes (it is null in
// every store seen); read all the same, for versions that do not. Spec: docs/flink.md, "The events".
import type { ProducedPartition } from '../../model/job-events.ts';
import { FieldFault, idIn, intIn } from './flink-fields.ts';
import { mapEntries } from './java-collections.ts';
import { JavaArray, JavaObject } from './java-stream.ts';

const classes = {
  partitionId: 'org.apache.flink.runtime.jobgraph.IntermediateResultPartitionID',
  dataSetId: 'org.apache.flink.runtime.jobgraph.IntermediateDataSetID',
} as const;

/** Partitions that the event names with their sizes. Flink drops this map before it writes; kept for versions that do not. */
export function producedPartitions(event: JavaObject): ProducedPartition[] {
  const metrics = event.field('ioMetrics');
  const sizes = metrics instanceof JavaObject ? metrics.field('resultPartitionBytes') : null;
  const entries = sizes === null || sizes === undefined ? [] : mapEntries(sizes);
  if (entries === null) throw new FieldFault('IOMetrics.resultPartitionBytes holds no map');
  return Array.from(entries, ([id, bytes]) => producedPartition(id, bytes));
}

function producedPartition(id: unknown, sizes: unknown): ProducedPartition {
  if (!(id instanceof JavaObject && id.type.is(classes.partitionId))) throw new FieldFault('a partition has no id');
  const list = sizes instanceof JavaObject ? sizes.field('subpartitionBytes') : null;
  const bytes = list instanceof JavaArray && list.component === 'J' ? sumOf(list) : null;
  const datasetId = idIn(id, 'intermediateDataSetID', classes.dataSetId);
  return { datasetId, partitionIndex: intIn(id, 'partitionNum'), bytes, rows: null, subpartitionRows: null };
}

function sumOf(list: JavaArray): number {
  let sum = 0;
  for (const item of list.items()) sum += Number(item);
  return sum;
}
