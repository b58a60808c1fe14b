// Data set ids of Flink 2.x are derived from their producer's: both halves of the vertex id, exchanged, and the same
// 32-bit number (a hash of the edge) added to each. So a data set's producer can be recognised without a job graph.

const mask64 = (1n << 64n) - 1n;
const int32Min = -(1n << 31n);
const int32Max = (1n << 31n) - 1n;

/** Whether a data set id is derived from this vertex id (both 32 hexadecimal digits). */
export function isDerivedFrom(datasetId: string, vertexId: string): boolean {
  const difference = edgeNumber(datasetId, vertexId);
  return difference !== null && difference >= int32Min && difference <= int32Max;
}

/** The data set id that a vertex has for an edge with this hash. */
export function derivedDataSetId(vertexId: string, edgeHash: number): string {
  const halves = split(vertexId);
  if (halves === null) return vertexId;
  const add = (half: bigint) => ((half + BigInt(edgeHash)) & mask64).toString(16).padStart(16, '0');
  return add(halves[1]) + add(halves[0]);
}

function edgeNumber(datasetId: string, vertexId: string): bigint | null {
  const dataSet = split(datasetId);
  const vertex = split(vertexId);
  if (dataSet === null || vertex === null) return null;
  const first = BigInt.asIntN(64, dataSet[0] - vertex[1]);
  return first === BigInt.asIntN(64, dataSet[1] - vertex[0]) ? first : null;
}

function split(id: string): readonly [bigint, bigint] | null {
  if (!/^[0-9a-f]{32}$/.test(id)) return null;
  return [BigInt(`0x${id.slice(0, 16)}`), BigInt(`0x${id.slice(16)}`)];
}
