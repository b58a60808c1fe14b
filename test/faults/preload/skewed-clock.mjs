// Preloaded into every process of a job (NODE_OPTIONS=--import): its clock is off by so many milliseconds as the file
// $JOBREC_TEST_CLOCK says at that moment, so that a test can make the time of day jump while the job runs.
import { readFileSync } from 'node:fs';

const file = process.env.JOBREC_TEST_CLOCK;
const RealDate = Date;

function offsetMs() {
  try {
    return Number(readFileSync(file, 'utf8')) || 0;
  } catch {
    return 0;
  }
}

globalThis.Date = class extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(RealDate.now() + offsetMs());
    else super(...given);
  }

  static now() {
    return RealDate.now() + offsetMs();
  }
};
