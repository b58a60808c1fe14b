// examples/word-count on the embedded log.
import { it, onTestFinished } from 'vitest';
import { playWordCount, type WordFeed, wordCountJob } from './word-count-story.ts';

const feed: WordFeed = {
  source: 'log: data/words',
  append: (job, rows) => job.append('data/words/0.jsonl', rows),
};

it('counts words, and begins again from the checkpoint until its restarts are used up', async () => {
  const job = await wordCountJob(feed);
  onTestFinished(() => job.remove());
  await playWordCount(job, feed);
});
