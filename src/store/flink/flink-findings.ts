// What is wrong with a Flink store's bytes, as findings that say what Flink itself does when it meets them. Flink reports
// none of it. Severity: error where recorded progress is lost, warning where only a write that never ended is.
// Spec: docs/flink.md, "Damage".
import type { Finding, FindingCode, FlinkReaction, Severity } from '../../model/job-log.ts';

const reactionTexts: Readonly<Record<FlinkReaction, string>> = {
  'skips-rest-of-file': 'Flink takes this for the end of the file and reads on with the next one, silently',
  'deletes-store': 'Flink fails to replay this, deletes the whole store and runs the job from scratch',
  'hides-later-files': 'Flink never reads them, and records nothing more once its own numbers reach theirs',
  hangs: 'a recovered job would never schedule a task again',
};

export interface FlinkPlace {
  readonly segment: string | null;
  readonly offset: number | null;
  /** Of the event that would come here. */
  readonly sequence: number | null;
  readonly bytesLost: number;
}

export function flinkFinding(
  code: FindingCode,
  severity: Severity,
  place: FlinkPlace,
  message: string,
  flinkDoes: FlinkReaction,
): Finding {
  return { code, severity, ...place, message: `${message}; ${reactionTexts[flinkDoes]}`, flinkDoes };
}
