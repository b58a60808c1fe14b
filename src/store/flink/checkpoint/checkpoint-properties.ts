// Flink's CheckpointProperties behind the operators (since format 4): a Java object, read as plain data by field names.
// What cannot be read is a MetadataFault: Flink would refuse it. Spec: docs/checkpoints.md, "The file".
import type { CheckpointProperties } from '../../../model/checkpoint.ts';
import { objectField, stringField } from '../java-collections.ts';
import { JavaEnum, JavaObject, parseJavaStream } from '../java-stream.ts';
import { type MetadataCursor, MetadataFault } from './metadata-cursor.ts';

const packageName = 'org.apache.flink.runtime.checkpoint';

/** What the cursor stands before, and how many bytes it takes. */
export function readProperties(cursor: MetadataCursor): { properties: CheckpointProperties; bytes: number } {
  const at = cursor.offset;
  const parsed = parseJavaStream(cursor.bytes.subarray(at));
  if (!parsed.ok) throw new MetadataFault(`the properties are no Java object: ${parsed.reason}`, at + parsed.offset);
  const { value, end } = parsed;
  if (!(value instanceof JavaObject) || value.className !== `${packageName}.CheckpointProperties`) {
    throw new MetadataFault('the properties are no CheckpointProperties', at);
  }
  const type = objectField(value, 'checkpointType');
  const properties = type === null ? null : propertiesOf(type);
  if (properties === null) throw new MetadataFault('the properties name no type of checkpoint', at);
  return { properties, bytes: end };
}

function propertiesOf(type: JavaObject): CheckpointProperties | null {
  const name = stringField(type, 'name');
  const isSavepoint = type.className === `${packageName}.SavepointType`;
  if (name === null || !(isSavepoint || type.className === `${packageName}.CheckpointType`)) return null;
  return {
    type: isSavepoint ? 'savepoint' : 'checkpoint',
    name,
    formatType: enumField(type, 'formatType'),
    postCheckpointAction: enumField(type, 'postCheckpointAction'),
    sharingFilesStrategy: enumField(type, 'sharingFilesStrategy'),
  };
}

function enumField(object: JavaObject, name: string): string | null {
  const value = object.field(name);
  return value instanceof JavaEnum ? value.name : null;
}
