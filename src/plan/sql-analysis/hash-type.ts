// When the hash of two columns of different types may stand for their equality. Invariant: where `hashAgrees` says yes,
// values that DuckDB's `=` holds equal are equal after the cast to the hash type too, hence on the same task.
// Conservative: pairs that are not listed do not agree (exact numbers among themselves, FLOAT and DOUBLE with any
// number, DATE with TIMESTAMP, ENUM with VARCHAR). Spec: docs/job-file.md, "Join keys".

const integers: Readonly<Record<string, { readonly bits: number; readonly signed: boolean; readonly digits: number }>> =
  {
    TINYINT: { bits: 8, signed: true, digits: 3 },
    SMALLINT: { bits: 16, signed: true, digits: 5 },
    INTEGER: { bits: 32, signed: true, digits: 10 },
    BIGINT: { bits: 64, signed: true, digits: 19 },
    HUGEINT: { bits: 128, signed: true, digits: 38 },
    UTINYINT: { bits: 8, signed: false, digits: 3 },
    USMALLINT: { bits: 16, signed: false, digits: 5 },
    UINTEGER: { bits: 32, signed: false, digits: 10 },
    UBIGINT: { bits: 64, signed: false, digits: 20 },
  };

const maxDecimalWidth = 38;

/**
 * The type to which both sides of `a = b` are cast for hashing; the type itself where both are the same; null where
 * no cast is known to bring all equal values together.
 */
export function commonHashType(a: string, b: string): string | null {
  if (a === b) return a;
  if (isExact(a) && isExact(b)) return commonExactType(a, b);
  if (isFloating(a) || isFloating(b)) return commonFloatingType(a, b);
  if (isDateOrTimestamp(a) && isDateOrTimestamp(b)) return 'TIMESTAMP';
  if (isTextOrEnum(a) && isTextOrEnum(b)) return 'VARCHAR';
  return null;
}

/** The common hash type of several columns; null where there is none. */
export function commonHashTypeOfAll(types: readonly (string | null)[]): string | null {
  const [first, ...rest] = types;
  if (first === undefined || first === null) return null;
  let common: string | null = first;
  for (const type of rest) common = common === null || type === null ? null : commonHashType(common, type);
  return common;
}

/**
 * Whether `a = b` implies equal hashes, for columns of these types that are both hashed as `hashType`.
 * Unknown types (null) never agree.
 */
export function hashAgrees(a: string | null, b: string | null, hashType: string | null): boolean {
  if (a === null || b === null || hashType === null) return false;
  if (a === b) return true;
  const common = commonHashType(a, b);
  // A wider exact type than the pair's own is as good: the casts are exact, so they compose.
  return common !== null && (common === hashType || (isExact(a) && isExact(b) && isExact(hashType)));
}

/** The type of the column that USING makes of two in a full join; null where it is not known for certain. */
export function mergedType(a: string | null, b: string | null): string | null {
  if (a === b) return a;
  return a !== null && b !== null && isExact(a) && isExact(b) ? commonHashType(a, b) : null;
}

function isExact(type: string): boolean {
  return type in integers || type.startsWith('DECIMAL(');
}

function isFloating(type: string): boolean {
  return type === 'FLOAT' || type === 'DOUBLE';
}

function isDateOrTimestamp(type: string): boolean {
  return type === 'DATE' || type === 'TIMESTAMP';
}

function isTextOrEnum(type: string): boolean {
  return type === 'VARCHAR' || type.startsWith('ENUM(');
}

function commonExactType(a: string, b: string): string | null {
  const [left, right] = [integers[a], integers[b]];
  if (left && right) return commonIntegerType(left, right);
  const [x, y] = [decimalShape(a), decimalShape(b)];
  const scale = Math.max(x.scale, y.scale);
  const width = Math.max(x.digits, y.digits) + scale;
  return `DECIMAL(${Math.min(width, maxDecimalWidth)},${scale})`;
}

interface IntegerShape {
  readonly bits: number;
  readonly signed: boolean;
}

function commonIntegerType(a: IntegerShape, b: IntegerShape): string | null {
  const signed = a.signed || b.signed;
  // An unsigned type fits only into a wider signed one.
  const needed = (shape: IntegerShape) => (signed && !shape.signed ? shape.bits * 2 : shape.bits);
  const bits = Math.max(needed(a), needed(b));
  return (
    Object.keys(integers).find((name) => integers[name]?.bits === bits && integers[name]?.signed === signed) ?? null
  );
}

function decimalShape(type: string): { readonly digits: number; readonly scale: number } {
  const integer = integers[type];
  if (integer) return { digits: integer.digits, scale: 0 };
  const [width = 0, scale = 0] = (type.match(/\d+/g) ?? []).map(Number);
  return { digits: width - scale, scale };
}

/** As DuckDB compares: with a DOUBLE as DOUBLE, else with a FLOAT as FLOAT. */
function commonFloatingType(a: string, b: string): string | null {
  if (![a, b].every((type) => isFloating(type) || isExact(type))) return null;
  return a === 'DOUBLE' || b === 'DOUBLE' ? 'DOUBLE' : 'FLOAT';
}
