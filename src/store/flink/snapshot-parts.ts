// The second and third part of a finished event's frame: the state of operator coordinators, a map from operator to bytes,
// and the ShuffleMaster's snapshot. Their content is opaque; who gave one, and how much, is not.
import type { FlinkSnapshot } from '../../model/job-events.ts';
import type { ClassRegister } from './class-register.ts';
import { type Decoded, parseObject, readFields } from './decoded.ts';
import { FieldFault, idPlace } from './flink-fields.ts';
import type { FlinkFrame } from './frame-walk.ts';
import type { Interner } from './interner.ts';
import { mapEntries } from './java-collections.ts';
import { JavaArray, JavaObject } from './java-stream.ts';
import { type Hole, KnownShapes } from './stream-shape.ts';

const operatorIdClass = 'org.apache.flink.runtime.jobgraph.OperatorID';

export type CoordinatorState = FlinkSnapshot['coordinators'][number];

const shapesMax = 8;
const holesMax = 64;
/** A job has a few dozen; bounds what a stream of references can make of itself. */
const coordinatorsMax = 10_000;

/** Holes of one entry, by their number. */
interface EntryHoles {
  readonly id: number;
  readonly state: number;
}

export class CoordinatorParts {
  readonly #known = new KnownShapes<readonly EntryHoles[]>(shapesMax, holesMax);
  readonly #interner: Interner;
  readonly #classes: ClassRegister;

  constructor(interner: Interner, classes: ClassRegister) {
    this.#interner = interner;
    this.#classes = classes;
  }

  read({ payload, view }: FlinkFrame, start: number, end: number): Decoded<readonly CoordinatorState[]> {
    const entries = this.#known.find(payload, start, end);
    if (entries === null) return this.#parse(payload, start, end);
    const { places } = this.#known;
    const value = entries.map((entry) => ({
      operatorId: this.#interner.id(payload, places[entry.id] as number),
      bytes: view.getInt32(places[entry.state] as number),
    }));
    return { ok: true, value };
  }

  #parse(payload: Buffer, start: number, end: number): Decoded<readonly CoordinatorState[]> {
    const parsed = parseObject(payload, start, end);
    if (!parsed.ok) return parsed;
    const flaw = this.#classes.check(parsed.value.index.classes, start);
    return flaw ?? readFields(start, () => this.#entries(parsed.value));
  }

  #entries(map: JavaObject): readonly CoordinatorState[] {
    const found = mapEntries(map);
    if (found === null) throw new FieldFault(`coordinator snapshots in a ${map.className}`);
    const places: EntryHoles[] = [];
    for (const [key, state] of found) {
      places.push(entryPlaces(key, state));
      if (places.length > coordinatorsMax) throw new FieldFault(`more than ${coordinatorsMax} coordinators`);
    }
    const { bytes } = map.index;
    if (places.length * 2 <= holesMax) this.#remember(bytes, places);
    return places.map(({ id, state }) => ({
      operatorId: this.#interner.id(bytes, id),
      bytes: bytes.readInt32BE(state),
    }));
  }

  #remember(bytes: Buffer, places: readonly EntryHoles[]): void {
    const holes = new Map<number, Hole>();
    for (const { id, state } of places) {
      holes.set(id, { at: id, bytes: 16 });
      holes.set(state, { at: state, bytes: 'array' });
    }
    const order = [...holes.keys()].sort((a, b) => a - b);
    const numbers = places.map(({ id, state }) => ({ id: order.indexOf(id), state: order.indexOf(state) }));
    this.#known.add(bytes, [...holes.values()], numbers);
  }
}

/** Places of an operator's id and of the length of its state. */
function entryPlaces(key: unknown, state: unknown): EntryHoles {
  if (!(key instanceof JavaObject && key.type.is(operatorIdClass))) throw new FieldFault('a snapshot of no operator');
  if (!(state instanceof JavaArray && state.component === 'B')) throw new FieldFault('a snapshot that is no bytes');
  return { id: idPlace(key), state: state.index.keyOf(state.handle) };
}

type ShuffleState = FlinkSnapshot['shuffleMaster'];

export class ShuffleParts {
  readonly #known = new KnownShapes<boolean>(shapesMax, 0);
  readonly #classes: ClassRegister;

  constructor(classes: ClassRegister) {
    this.#classes = classes;
  }

  read({ payload }: FlinkFrame, start: number, end: number): Decoded<ShuffleState> {
    const bytes = end - start;
    const known = this.#known.find(payload, start, end);
    if (known !== null) return { ok: true, value: { bytes, incremental: known } };
    const parsed = parseObject(payload, start, end);
    if (!parsed.ok) return parsed;
    const flaw = this.#classes.check(parsed.value.index.classes, start);
    if (flaw !== null) return flaw;
    const incremental = isIncremental(parsed.value);
    this.#known.add(parsed.value.index.bytes, [], incremental);
    return { ok: true, value: { bytes, incremental } };
  }
}

/** By its field, as far as the class of a foreign shuffle service names one; Flink's EmptyShuffleMasterSnapshot is full. */
function isIncremental(snapshot: JavaObject): boolean {
  return [snapshot.field('incremental'), snapshot.field('isIncremental')].includes(true);
}
