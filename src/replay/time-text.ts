// Times as text, to the microsecond: an event's printed time, given back as a position, means that event. A time without
// a zone is UTC, so that the same command means the same event on every machine.

const isoTime =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*([Zz]|[+-]\d{2}(?::?\d{2})?)?)?$/;

/** Microseconds since the epoch of an ISO-8601 date or date and time; null where the text is not one. */
export function parseTimeMicros(text: string): number | null {
  const match = isoTime.exec(text);
  if (match === null) return null;
  const [, year = '', month = '', day = '', hour = '00', minute = '00', second = '00', fraction = '', zone = 'Z'] =
    match;
  const milliseconds = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  const sameDay = new Date(milliseconds).getUTCDate() === Number(day) || hour === '24';
  if (Number.isNaN(milliseconds) || !sameDay) return null;
  const micros = Number(fraction.slice(0, 6).padEnd(6, '0'));
  const offset = zoneOffsetMinutes(zone);
  return offset === null ? null : milliseconds * 1000 + micros - offset * 60e6;
}

function zoneOffsetMinutes(zone: string): number | null {
  if (zone === 'Z' || zone === 'z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(3).replace(':', '') || '0');
  if (hours > 23 || minutes > 59) return null;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}

/** `2026-01-31T12:00:00.123456Z`. */
export function formatTime(timeMicros: number): string {
  const seconds = Math.floor(timeMicros / 1e6);
  const micros = String(timeMicros - seconds * 1e6).padStart(6, '0');
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${micros}Z`;
}
