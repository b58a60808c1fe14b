// Comments name the document that specifies a file, and its section in quotes: each such section must exist.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSources, sourceRoot } from './support/source-tree.ts';

interface Citation {
  readonly document: string;
  readonly section: string;
}

const quoted = '"[^"]+"';
/** `docs/x.md "A"`, `docs/x.md, "A", "B" and "C"`. */
const citing = new RegExp(`\\b((?:docs/[\\w/-]+|ARCHITECTURE)\\.md),? (${quoted}(?:(?:,| and|, and) ${quoted})*)`, 'g');

/** Comments may break a citation over two lines. */
function citationsOf(text: string): Citation[] {
  const joined = text.replace(/\n\s*(?:\/\/|\*) /g, ' ');
  return [...joined.matchAll(citing)].flatMap(([, document = '', sections = '']) =>
    [...sections.matchAll(/"([^"]+)"/g)].map(([, section = '']) => ({ document, section })),
  );
}

/** Headings as they are read: without the marks of code. */
function headingsOf(markdown: string): string[] {
  const prose = markdown.replace(/^```[\s\S]*?^```/gm, '');
  return [...prose.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading.replaceAll('`', ''));
}

describe('sections that comments cite', () => {
  it('are found in comments of every form', () => {
    const text =
      '// A. Spec: docs/x.md, "One", "Two and a\n// half" and "Three"; docs/y.md "Four".\n/** docs/z.md */\n';
    expect(citationsOf(text).map(({ document, section }) => `${document} ${section}`)).toEqual([
      'docs/x.md One',
      'docs/x.md Two and a half',
      'docs/x.md Three',
      'docs/y.md Four',
    ]);
  });

  it('exist', () => {
    const cited = readSources().flatMap(({ file, text }) => citationsOf(text).map((each) => ({ file, ...each })));
    const documents = [...new Set(cited.map(({ document }) => document))];
    const read = (document: string) => headingsOf(readFileSync(join(sourceRoot, '..', document), 'utf8'));
    const headings = new Map(documents.map((document) => [document, read(document)]));
    const missing = cited.filter(({ document, section }) => !headings.get(document)?.includes(section));
    expect(missing.map(({ file, document, section }) => `${file}: ${document} "${section}"`)).toEqual([]);
    expect(cited.length).toBeGreaterThan(100);
  });
});
