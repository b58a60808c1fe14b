// The name of a vertex from the description that REST's plan has of it, which Flink writes for its web page: a tree of the
// chain, `a<br/>:- b<br/>+- c<br/>` for `a -> (b, c)`, with the operators of SQL described by all their columns. Best
// effort: where names matter, `/jobs/<id>` has them. Spec: docs/flink.md "REST".

interface Line {
  readonly depth: number;
  readonly name: string;
}

/** null where there is no description. */
export function nameOfDescription(description: string): string | null {
  const lines = description.split(/<br\/?>|\n/).flatMap(lineOf);
  return lines.length === 0 ? null : chained(lines, 0).name;
}

/** Each level is indented by three characters: `:  `, `   `, and `:- ` or `+- ` before the name. */
function lineOf(text: string): Line[] {
  const [, indent = '', rest = ''] = /^((?:[:+ ][- ] )*)(.*)$/.exec(unescaped(text)) ?? [];
  return rest.trim() === '' ? [] : [{ depth: indent.length / 3, name: shortName(rest.trim()) }];
}

/** The chain that begins at a line, and the line behind it. A loop over its branches; their depth is that of the tree. */
function chained(lines: readonly Line[], start: number): { readonly name: string; readonly next: number } {
  const head = lines[start] as Line;
  const branches: string[] = [];
  let next = start + 1;
  while (next < lines.length && (lines[next] as Line).depth > head.depth && branches.length < branchesMax) {
    const branch = chained(lines, next);
    branches.push(branch.name);
    next = branch.next;
  }
  const rest = branches.length > 1 ? ` -> (${branches.join(', ')})` : branches.map((name) => ` -> ${name}`).join('');
  return { name: head.name + rest, next };
}

const branchesMax = 1000;

/** `[5]:Calc(select=[…])` is called `Calc[5]`; a scan, after its table; the two halves of an aggregate, alike. */
function shortName(text: string): string {
  const match = /^\[(\d+)\]:(\w+)\(/.exec(text);
  if (match === null) return text;
  const [, number = '', operator = ''] = match;
  if (operator === 'TableSourceScan') return scanName(text) ?? `${operator}[${number}]`;
  const sources = operator === 'MultipleInput' ? chainedScans(text) : [];
  const inside = sources.length === 0 ? '' : ` [${sources.join(', ')}]`;
  return `${operator.replace(/^Local(?=\w*Aggregate$)/, '')}[${number}]${inside}`;
}

const scan = /\[(\d+)\]:TableSourceScan\(table=\[\[[^,\]]*, [^,\]]*, ([^,\]]*)/g;

function scanName(text: string): string | undefined {
  return chainedScans(text)[0];
}

function chainedScans(text: string): string[] {
  return [...text.matchAll(scan)].map(([, number, table]) => `Source: ${table}[${number}]`);
}

const entities: Readonly<Record<string, string>> = { gt: '>', lt: '<', amp: '&', quot: '"', '#39': "'", '#92': '\\' };

function unescaped(text: string): string {
  return text.replace(/&(gt|lt|amp|quot|#39|#92);/g, (_, name: string) => entities[name] ?? '');
}
