// Counts words as they come. The word ERROR stands for a record that no attempt can process: it fails the job.

export interface WordRecord {
  readonly word: string;
  readonly frequency: number;
}

export function parse(row: WordRecord): WordRecord {
  if (row.word === 'ERROR') throw new Error('the word ERROR cannot be counted');
  return { word: row.word, frequency: row.frequency };
}
