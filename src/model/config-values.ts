// How configuration values are spelled: durations and memory sizes as Flink's TimeUtils and MemorySize read them, so
// that a line copied from a Flink configuration means the same here. Values that fit no spelling are null: the caller
// knows the option's name and says what is allowed. Spec: docs/job-file.md, "Options".

const durationUnitsMs: readonly (readonly [RegExp, number])[] = [
  [/^(d|day|days)$/, 86_400_000],
  [/^(h|hour|hours)$/, 3_600_000],
  [/^(m|min|minute|minutes)$/, 60_000],
  [/^(s|sec|secs|second|seconds)$/, 1000],
  [/^(ms|milli|millis|millisecond|milliseconds|)$/, 1],
  [/^(µs|micro|micros|microsecond|microseconds)$/, 1e-3],
  [/^(ns|nano|nanos|nanosecond|nanoseconds)$/, 1e-6],
];

/** Milliseconds of `30 s`, `10ms`, `1 min`, `PT1M30S`; a bare number is milliseconds. null: not a duration. */
export function parseDurationMs(text: string): number | null {
  const match = /^(\d+)\s*([a-zµ]*)$/.exec(text.trim().toLowerCase());
  if (!match) return parseIsoDurationMs(text.trim());
  const unitMs = durationUnitsMs.find(([names]) => names.test(match[2] ?? ''))?.[1];
  return unitMs === undefined ? null : safeNumber(Number(match[1]) * unitMs);
}

function parseIsoDurationMs(text: string): number | null {
  const match = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/i.exec(text);
  if (!match || /[PT]$/i.test(text)) return null;
  const [days, hours, minutes, seconds] = [1, 2, 3, 4].map((index) => Number(match[index] ?? 0));
  const wholeMinutes = ((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0);
  return safeNumber(wholeMinutes * 60_000 + (seconds ?? 0) * 1000);
}

const sizeUnitsBytes: readonly (readonly [RegExp, number])[] = [
  [/^(b|bytes|)$/, 1],
  [/^(k|kb|kib|kibibytes)$/, 2 ** 10],
  [/^(m|mb|mib|mebibytes)$/, 2 ** 20],
  [/^(g|gb|gib|gibibytes)$/, 2 ** 30],
  [/^(t|tb|tib|tebibytes)$/, 2 ** 40],
];

/** Bytes of `1mb`, `64 kb`, `1 GiB`; units are binary, as in Flink; a bare number is bytes. null: not a size. */
export function parseSizeBytes(text: string): number | null {
  const match = /^(\d+)\s*([a-z]*)$/.exec(text.trim().toLowerCase());
  const unitBytes = match && sizeUnitsBytes.find(([names]) => names.test(match[2] ?? ''))?.[1];
  return match && unitBytes ? safeNumber(Number(match[1]) * unitBytes) : null;
}

/** A whole number from `min` to `max`; null: not one. */
export function parseWholeNumber(text: string, min: number, max = Number.MAX_SAFE_INTEGER): number | null {
  const value = /^\d+$/.test(text.trim()) ? safeNumber(Number(text)) : null;
  return value === null || value < min || value > max ? null : value;
}

export function parseBoolean(text: string): boolean | null {
  const lower = text.trim().toLowerCase();
  return lower === 'true' ? true : lower === 'false' ? false : null;
}

function safeNumber(value: number): number | null {
  return value <= Number.MAX_SAFE_INTEGER ? value : null;
}
