// Times of the log (microseconds since the epoch) as the reports show them: ISO-8601 in UTC, microseconds kept.

/** `2026-05-04T10:20:30.123456Z`; null for null. */
export function isoTime(timeMicros: number | null): string | null {
  if (timeMicros === null) return null;
  const millis = Math.floor(timeMicros / 1000);
  const date = new Date(millis);
  if (Number.isNaN(date.getTime())) return null;
  const micros = String(Math.trunc(timeMicros - millis * 1000)).padStart(3, '0');
  return date.toISOString().replace('Z', `${micros}Z`);
}
