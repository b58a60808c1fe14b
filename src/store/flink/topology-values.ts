// Small steps through Java data that the topology readers share: ids, nested streams, names. What is not there is null.

import { abstractIdClass, FieldFault, hexOfId } from './flink-fields.ts';
import { listItems, mapEntries, objectField, refField, stringField, unboxed } from './java-collections.ts';
import { JavaArray, JavaObject, type JavaValue, parseJavaStream } from './java-stream.ts';

/** Objects in a list; others are left out. */
export function objectsIn(value: unknown): JavaObject[] {
  return [...(listItems(value) ?? [])].filter((item) => item instanceof JavaObject);
}

/** An AbstractID in a field as Flink prints it; null where there is none. */
export function idField(object: JavaObject, name: string): string | null {
  const id = objectField(object, name);
  return id === null ? null : idText(id);
}

export function idText(id: JavaObject): string | null {
  if (!id.type.is(abstractIdClass)) return null;
  try {
    return hexOfId(id);
  } catch (error) {
    if (error instanceof FieldFault) return null;
    throw error;
  }
}

/** What a SerializedValue holds: a stream of its own. */
export function nestedValue(serialized: JavaObject | null): JavaValue {
  const data = serialized === null ? null : refField(serialized, 'serializedData');
  if (!(data instanceof JavaArray) || data.component !== 'B') return null;
  const parsed = parseJavaStream(data.bytes());
  return parsed.ok ? parsed.value : null;
}

/** Options of a Configuration as raw values. */
export function configOf(configuration: JavaObject | null): Record<string, string> {
  const config: Record<string, string> = {};
  const data = configuration === null ? null : refField(configuration, 'confData');
  for (const [key, value] of mapEntries(data) ?? []) {
    const text = unboxed(value);
    if (typeof key === 'string' && text !== null)
      Object.defineProperty(config, key, { value: String(text), enumerable: true });
  }
  return config;
}

/** `Name` of `org.example.Outer$Name`. */
export function simpleName(className: string): string {
  return className.slice(Math.max(className.lastIndexOf('.'), className.lastIndexOf('$')) + 1);
}

export { listItems, mapEntries, objectField, refField, stringField };
