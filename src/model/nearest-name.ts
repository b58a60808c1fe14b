// "Did you mean": the known name nearest to what somebody wrote. Used by every place that refuses an unknown name.
import { closest, distance } from 'fastest-levenshtein';

const shownMax = 12;

/** The nearest of `known`; null where there is none at all. */
export function nearestName(written: string, known: readonly string[]): string | null {
  return known.length === 0 ? null : closest(written, [...known]);
}

/** The nearest of `known`, where it is near enough to be what was meant; else null. */
export function nearName(written: string, known: readonly string[]): string | null {
  const nearest = nearestName(written, known);
  if (nearest === null) return null;
  const bound = Math.max(2, Math.floor(written.length / 3));
  return distance(written.toLowerCase(), nearest.toLowerCase()) <= bound ? nearest : null;
}

/** The nearest name as a hint, or all of them where none is near enough to be what was meant. */
export function nearestNameHint(written: string, known: readonly string[]): string {
  const nearest = nearestName(written, known);
  if (nearest === null) return 'nothing is known here';
  const isNear = distance(written.toLowerCase(), nearest.toLowerCase()) <= Math.max(2, written.length / 2);
  if (isNear) return `did you mean ${nearest}?`;
  const more = known.length > shownMax ? `, … (${known.length} in all)` : '';
  return `known here: ${known.slice(0, shownMax).join(', ')}${more}`;
}
