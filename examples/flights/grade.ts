// A map stage: gives each hour a grade for its mean delay. Rows come and go one by one; BIGINT columns are bigints.

interface Hour {
  state: string;
  hour: bigint;
  flights: bigint;
  mean_delay: number;
}

type Graded = Hour & { grade: string };

export async function* grade(rows: AsyncIterable<Hour>): AsyncGenerator<Graded> {
  for await (const { state, hour, flights, mean_delay } of rows) {
    yield { state, hour, flights, mean_delay, grade: gradeOf(mean_delay) };
  }
}

function gradeOf(minutes: number): string {
  if (minutes < 60) return 'bearable';
  return minutes < 120 ? 'long' : 'bring a book';
}
