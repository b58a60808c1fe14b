// One value that a map function yielded, as a value of a column's type: exactly, or not at all. Accepts what DuckDB's
// JavaScript conversion gives for the type, numbers and bigints for each other where nothing is lost, and DuckDB's own
// value objects. (The package's converters check no ranges: 300 into a TINYINT would wrap around.)
import {
  arrayValue,
  DuckDBArrayType,
  DuckDBDecimalType,
  DuckDBDecimalValue,
  DuckDBEnumType,
  DuckDBListType,
  DuckDBMapType,
  DuckDBStructType,
  type DuckDBType,
  DuckDBTypeId,
  DuckDBUnionType,
  type DuckDBValue,
  type JS,
  JSToDuckDBValueConverter,
  listValue,
  mapValue,
  structValue,
  unionValue,
} from '@duckdb/node-api';

/** The answer for a value that the type cannot hold as it is. */
export const misfit: unique symbol = Symbol('misfit');
export type Fitted = DuckDBValue | typeof misfit;

const integerRanges = new Map<DuckDBTypeId, readonly [bigint, bigint]>([
  [DuckDBTypeId.TINYINT, signed(8n)],
  [DuckDBTypeId.SMALLINT, signed(16n)],
  [DuckDBTypeId.INTEGER, signed(32n)],
  [DuckDBTypeId.BIGINT, signed(64n)],
  [DuckDBTypeId.HUGEINT, signed(128n)],
  [DuckDBTypeId.UTINYINT, unsigned(8n)],
  [DuckDBTypeId.USMALLINT, unsigned(16n)],
  [DuckDBTypeId.UINTEGER, unsigned(32n)],
  [DuckDBTypeId.UBIGINT, unsigned(64n)],
  [DuckDBTypeId.UHUGEINT, unsigned(128n)],
]);
/** Integer types whose vectors hold JavaScript numbers. */
const numberTypes: ReadonlySet<DuckDBTypeId> = new Set([
  DuckDBTypeId.TINYINT,
  DuckDBTypeId.SMALLINT,
  DuckDBTypeId.INTEGER,
  DuckDBTypeId.UTINYINT,
  DuckDBTypeId.USMALLINT,
  DuckDBTypeId.UINTEGER,
]);
const dateTypes: ReadonlySet<DuckDBTypeId> = new Set([
  DuckDBTypeId.DATE,
  DuckDBTypeId.TIMESTAMP,
  DuckDBTypeId.TIMESTAMP_S,
  DuckDBTypeId.TIMESTAMP_MS,
  DuckDBTypeId.TIMESTAMP_NS,
  DuckDBTypeId.TIMESTAMP_TZ,
]);

function signed(bits: bigint): readonly [bigint, bigint] {
  return [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n];
}

function unsigned(bits: bigint): readonly [bigint, bigint] {
  return [0n, (1n << bits) - 1n];
}

/** Fits one value; null and undefined are NULL. */
export type Fit = (value: unknown) => Fitted;

/** How values are fitted to `type`: decided once a column, not once a value. */
export function fitterOf(type: DuckDBType): Fit {
  const fitPresent = fitterOfPresent(type);
  return (value) => (value === null || value === undefined ? null : fitPresent(value));
}

function fitterOfPresent(type: DuckDBType): Fit {
  const range = integerRanges.get(type.typeId);
  if (range) return integerFitter(type.typeId, range);
  if (dateTypes.has(type.typeId)) return (value) => fitDate(value, type);
  switch (type.typeId) {
    case DuckDBTypeId.BOOLEAN:
      return (value) => (typeof value === 'boolean' ? value : misfit);
    case DuckDBTypeId.VARCHAR:
      return (value) => (typeof value === 'string' ? value : misfit);
    case DuckDBTypeId.FLOAT:
      return (value) => fitDouble(value, isFloat);
    case DuckDBTypeId.DOUBLE:
      return (value) => fitDouble(value, () => true);
    case DuckDBTypeId.BIGNUM:
      return (value) => asBigint(value) ?? misfit;
    default:
      return otherFitter(type);
  }
}

function integerFitter(typeId: DuckDBTypeId, [least, most]: readonly [bigint, bigint]): Fit {
  if (!numberTypes.has(typeId)) {
    return (value) => {
      const integer = asBigint(value);
      return integer === null || integer < least || integer > most ? misfit : integer;
    };
  }
  const [low, high] = [Number(least), Number(most)];
  return (value) => {
    const integer = typeof value === 'bigint' ? Number(value) : value;
    return typeof integer === 'number' && Number.isInteger(integer) && integer >= low && integer <= high
      ? integer
      : misfit;
  };
}

function isFloat(value: number): boolean {
  return Object.is(Math.fround(value), value) || Number.isNaN(value);
}

function asBigint(value: unknown): bigint | null {
  if (typeof value === 'bigint') return value;
  return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : null;
}

function fitDouble(value: unknown, isExact: (value: number) => boolean): Fitted {
  if (typeof value === 'bigint')
    return BigInt(Number(value)) === value && isExact(Number(value)) ? Number(value) : misfit;
  return typeof value === 'number' && isExact(value) ? value : misfit;
}

const dayMs = 24 * 60 * 60 * 1000;

function fitDate(value: unknown, type: DuckDBType): Fitted {
  if (!(value instanceof Date)) return passThrough(value, type);
  const ms = value.getTime();
  if (Number.isNaN(ms)) return misfit;
  if (type.typeId === DuckDBTypeId.DATE && ms % dayMs !== 0) return misfit;
  if (type.typeId === DuckDBTypeId.TIMESTAMP_S && ms % 1000 !== 0) return misfit;
  // TIMESTAMP_NS ends in 1677 and 2262.
  if (type.typeId === DuckDBTypeId.TIMESTAMP_NS && Math.abs(ms) > 9_223_372_036_854) return misfit;
  return converted(value, type);
}

function otherFitter(type: DuckDBType): Fit {
  if (type instanceof DuckDBDecimalType) return (value) => fitDecimal(value, type);
  if (type instanceof DuckDBEnumType) return enumFitter(type);
  if (type instanceof DuckDBListType) return listFitter(type.valueType, null);
  if (type instanceof DuckDBArrayType) return listFitter(type.valueType, type.length);
  if (type instanceof DuckDBStructType) return structFitter(type);
  if (type instanceof DuckDBMapType) return mapFitter(type);
  if (type instanceof DuckDBUnionType) return unionFitter(type);
  return (value) => (isPlainInput(value, type.typeId) ? converted(value, type) : passThrough(value, type));
}

function enumFitter(type: DuckDBEnumType): Fit {
  const members = new Set<unknown>(type.values);
  return (value) => (members.has(value) ? (value as string) : misfit);
}

/** What the package's converter takes for the remaining types; it trusts its input, so the kind is checked here. */
function isPlainInput(value: unknown, typeId: DuckDBTypeId): boolean {
  switch (typeId) {
    case DuckDBTypeId.BLOB:
    case DuckDBTypeId.BIT:
    case DuckDBTypeId.GEOMETRY:
      return value instanceof Uint8Array;
    case DuckDBTypeId.UUID:
      return typeof value === 'string';
    case DuckDBTypeId.TIME:
      return typeof value === 'bigint' && value >= 0n && value <= 86_400_000_000n;
    case DuckDBTypeId.TIME_NS:
      return typeof value === 'bigint' && value >= 0n && value <= 86_400_000_000_000n;
    case DuckDBTypeId.INTERVAL:
      return isObject(value) && isInt32(value.months) && isInt32(value.days) && typeof value.micros === 'bigint';
    case DuckDBTypeId.TIME_TZ:
      return isObject(value) && typeof value.micros === 'bigint' && isInt32(value.offset);
    case DuckDBTypeId.VARIANT:
      return ['boolean', 'number', 'bigint', 'string'].includes(typeof value);
    default:
      return false;
  }
}

function fitDecimal(value: unknown, type: DuckDBDecimalType): Fitted {
  const scaled = scaledDecimal(value, type.scale);
  if (scaled === null) return passThrough(value, type);
  const most = 10n ** BigInt(type.width);
  return scaled < most && scaled > -most ? new DuckDBDecimalValue(scaled, type.width, type.scale) : misfit;
}

/** The decimal's digits as an integer; null where the value has more digits after the point than the type. */
function scaledDecimal(value: unknown, scale: number): bigint | null {
  if (typeof value === 'bigint') return value * 10n ** BigInt(scale);
  if (typeof value !== 'number' || !Number.isFinite(value)) return null;
  const rounded = DuckDBDecimalValue.fromDouble(value, 38, scale);
  return Number(rounded.toString()) === value ? rounded.value : null;
}

function listFitter(itemType: DuckDBType, length: number | null): Fit {
  const fitItem = fitterOf(itemType);
  return (value) => {
    const items: unknown = isObject(value) && Array.isArray(value.items) ? value.items : value;
    if (!Array.isArray(items) || (length !== null && items.length !== length)) return misfit;
    const fitted = items.map(fitItem);
    if (fitted.includes(misfit)) return misfit;
    return length === null ? listValue(fitted as DuckDBValue[]) : arrayValue(fitted as DuckDBValue[]);
  };
}

function structFitter(type: DuckDBStructType): Fit {
  const fits = new Map(type.entryNames.map((name, index) => [name, fitterOf(type.entryTypes[index] as DuckDBType)]));
  return (value) => {
    if (!isObject(value) || Array.isArray(value)) return misfit;
    const source = isDuckDBValue(value) && isObject(value.entries) ? value.entries : value;
    if (Object.keys(source).some((key) => !fits.has(key))) return misfit;
    const entries: Record<string, DuckDBValue> = {};
    for (const [name, fitEntry] of fits) {
      const fitted = fitEntry(source[name]);
      if (fitted === misfit) return misfit;
      entries[name] = fitted;
    }
    return structValue(entries);
  };
}

function mapFitter(type: DuckDBMapType): Fit {
  const [fitKey, fitItem] = [fitterOf(type.keyType), fitterOf(type.valueType)];
  return (value) => {
    const entries: unknown = isObject(value) && Array.isArray(value.entries) ? value.entries : value;
    if (!Array.isArray(entries)) return misfit;
    const fitted: { key: DuckDBValue; value: DuckDBValue }[] = [];
    for (const entry of entries as unknown[]) {
      if (!isObject(entry)) return misfit;
      const key = fitKey(entry.key);
      const item = fitItem(entry.value);
      if (key === misfit || item === misfit || key === null) return misfit;
      fitted.push({ key, value: item });
    }
    return mapValue(fitted);
  };
}

function unionFitter(type: DuckDBUnionType): Fit {
  const fits = new Map(type.memberTags.map((tag, index) => [tag, fitterOf(type.memberTypes[index] as DuckDBType)]));
  return (value) => {
    if (!isObject(value) || typeof value.tag !== 'string') return misfit;
    const fitted = fits.get(value.tag)?.(value.value) ?? misfit;
    return fitted === misfit ? misfit : unionValue(value.tag, fitted);
  };
}

/** DuckDB's own value objects, where the package's name says that they are of the type. */
function passThrough(value: unknown, type: DuckDBType): Fitted {
  if (!isDuckDBValue(value)) return misfit;
  return valueClassOf.get(type.typeId) === value.constructor.name ? (value as unknown as DuckDBValue) : misfit;
}

const valueClassOf = new Map<DuckDBTypeId, string>([
  [DuckDBTypeId.BIT, 'DuckDBBitValue'],
  [DuckDBTypeId.BLOB, 'DuckDBBlobValue'],
  [DuckDBTypeId.DATE, 'DuckDBDateValue'],
  [DuckDBTypeId.DECIMAL, 'DuckDBDecimalValue'],
  [DuckDBTypeId.GEOMETRY, 'DuckDBGeometryValue'],
  [DuckDBTypeId.INTERVAL, 'DuckDBIntervalValue'],
  [DuckDBTypeId.TIME, 'DuckDBTimeValue'],
  [DuckDBTypeId.TIME_NS, 'DuckDBTimeNSValue'],
  [DuckDBTypeId.TIME_TZ, 'DuckDBTimeTZValue'],
  [DuckDBTypeId.TIMESTAMP, 'DuckDBTimestampValue'],
  [DuckDBTypeId.TIMESTAMP_S, 'DuckDBTimestampSecondsValue'],
  [DuckDBTypeId.TIMESTAMP_MS, 'DuckDBTimestampMillisecondsValue'],
  [DuckDBTypeId.TIMESTAMP_NS, 'DuckDBTimestampNanosecondsValue'],
  [DuckDBTypeId.TIMESTAMP_TZ, 'DuckDBTimestampTZValue'],
  [DuckDBTypeId.UUID, 'DuckDBUUIDValue'],
  [DuckDBTypeId.VARIANT, 'DuckDBVariantValue'],
]);

// By name: the functions are bundled apart from us, so a value that they made is of another copy of the class.
function isDuckDBValue(value: unknown): value is object & Record<string, unknown> {
  return isObject(value) && /^DuckDB\w+Value$/.test(value.constructor?.name ?? '');
}

function converted(value: unknown, type: DuckDBType): Fitted {
  try {
    return JSToDuckDBValueConverter(value as JS, type, JSToDuckDBValueConverter);
  } catch {
    return misfit;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isInt32(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && Math.abs(value) < 2 ** 31;
}
