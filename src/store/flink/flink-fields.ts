// Reads the fields of Flink's own classes out of Java data, by class and field name. What is not as it must be is a
// FieldFault, which the event decoders turn into a value. Spec: docs/flink.md, "The events".
import { JavaObject } from './java-stream.ts';

/** A field that an event needs is missing or is not what Flink writes. Internal to the event decoders. */
export class FieldFault extends Error {
  override readonly name = 'FieldFault';
}

/** An object in a field, of class `className` or derived from it. */
export function objectIn(owner: JavaObject, name: string, className: string): JavaObject {
  const value = owner.field(name);
  if (value instanceof JavaObject && value.type.is(className)) return value;
  throw new FieldFault(`${shortName(owner)}.${name} holds no ${className}`);
}

/** Where the bytes of a primitive field of type `signature` lie. */
export function placeIn(owner: JavaObject, name: string, signature: string): number {
  const found = owner.findField(name);
  if (found !== undefined && found.signature === signature) return found.offset;
  throw new FieldFault(`${shortName(owner)} has no field ${name} of type ${signature}`);
}

export function intIn(owner: JavaObject, name: string): number {
  return owner.index.bytes.readInt32BE(placeIn(owner, name, 'I'));
}

export const abstractIdClass = 'org.apache.flink.util.AbstractID';

/** First of the 16 bytes of an AbstractID; Java sorts its two fields by name, so that the lower half comes first. */
export function idPlace(id: JavaObject): number {
  const lower = placeIn(id, 'lowerPart', 'J');
  if (placeIn(id, 'upperPart', 'J') === lower + 8) return lower;
  throw new FieldFault(`${shortName(id)} is laid out in an unknown way`);
}

/** An AbstractID as Flink prints it: 32 hexadecimal digits. */
export function idIn(owner: JavaObject, name: string, className: string): string {
  return hexOfId(objectIn(owner, name, className));
}

export function hexOfId(id: JavaObject): string {
  const place = idPlace(id);
  return id.index.bytes.toString('hex', place, place + 16);
}

function shortName(object: JavaObject): string {
  return object.className.slice(object.className.lastIndexOf('.') + 1);
}
