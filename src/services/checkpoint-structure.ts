// Checks what a checkpoint's metadata says against itself, operator by operator: ids and subtasks once, key groups whole and
// once, places inside their streams. Keeps one operator's ranges at a time. Spec: docs/checkpoints.md, "validate".
import type {
  CheckpointMetadata,
  CheckpointVisitor,
  KeyGroups,
  LongList,
  OperatorHead,
  StateKind,
  StateStream,
  SubtaskTotals,
} from '../model/checkpoint.ts';
import type { CheckpointFindings } from './checkpoint-findings.ts';
import type { CheckpointFinding, CheckpointFindingCode } from './checkpoint-validate-report.ts';

interface SubtaskRange {
  readonly state: StateKind;
  readonly subtask: number;
  readonly first: number;
  readonly count: number;
  readonly sparse: boolean;
  readonly offset: number;
}

/** More operators than this are not compared with each other. */
const operatorsMax = 100_000;

export class StructureCheck {
  checkpointId = 0n;
  operators = 0;
  subtasks = 0;
  readonly #findings: CheckpointFindings;
  readonly #metadata: CheckpointMetadata;
  readonly #operatorIds = new Set<string>();
  #operator: OperatorHead | null = null;
  #seen = new Set<number>();
  #ranges: SubtaskRange[] = [];
  /** Of the subtask that is being read. */
  #open: KeyGroups[] = [];
  /** The last place in the stream that comes next: of all that point into it, kept alone. */
  #furthest: { readonly what: string; readonly place: bigint; readonly offset: number } | null = null;

  constructor(metadata: CheckpointMetadata, findings: CheckpointFindings) {
    this.#metadata = metadata;
    this.#findings = findings;
  }

  visitor(): CheckpointVisitor {
    return {
      head: ({ checkpointId }) => {
        this.checkpointId = checkpointId;
      },
      operator: (operator) => this.#nextOperator(operator),
      namedState: ({ name, elements, offset }) => this.#expect(`state ${name}`, elements, offset),
      keyGroups: (groups) => this.#keyGroups(groups),
      stream: (stream) => this.#stream(stream),
      subtask: (totals) => this.#subtask(totals),
      flaw: ({ code, message, offset }) => this.#find(code, 'error', offset, `${message}; Flink refuses it`),
      end: (offset) => this.#end(offset),
    };
  }

  #end(offset: number): void {
    this.#endOperator();
    const left = this.#metadata.bytes - offset;
    if (left > 0) this.#find('TRAILING_BYTES', 'warning', offset, `${left} bytes behind the end, which Flink ignores`);
  }

  #nextOperator(operator: OperatorHead): void {
    this.#endOperator();
    this.#operator = operator;
    this.operators += 1;
    const { operatorId, offset } = operator;
    if (this.#operatorIds.has(operatorId)) {
      this.#find('DUPLICATE_OPERATOR', 'error', offset, `operator ${operatorId} is there twice`);
    } else if (this.#operatorIds.size < operatorsMax) this.#operatorIds.add(operatorId);
  }

  #endOperator(): void {
    if (this.#operator !== null) {
      for (const state of ['managedKeyed', 'rawKeyed'] as const) this.#checkRanges(this.#operator, state);
    }
    this.#operator = null;
    this.#seen = new Set();
    this.#ranges = [];
  }

  #keyGroups(groups: KeyGroups): void {
    if (groups.offsets !== null) this.#expect('key group', groups.offsets, groups.offset);
    if (groups.outermost && groups.count > 0) this.#open.push(groups);
  }

  #expect(what: string, offsets: LongList, offset: number): void {
    for (const place of offsets) {
      // -1 stands for none; what is less lies nowhere.
      const distance = place < -1n ? 2n ** 63n : place;
      if (distance > (this.#furthest?.place ?? -1n)) this.#furthest = { what, place: distance, offset };
    }
  }

  #stream({ size, place }: StateStream): void {
    const furthest = this.#furthest;
    this.#furthest = null;
    if (furthest === null || size < 0n || place === 'nowhere' || furthest.place <= size) return;
    const where = furthest.place === 2n ** 63n ? 'a negative byte' : `byte ${furthest.place}`;
    const text = `${furthest.what} begins at ${where} of a state of ${size} bytes`;
    this.#find('OFFSET_BEYOND_STATE', 'error', furthest.offset, text);
  }

  #subtask({ subtask, offset }: SubtaskTotals): void {
    this.subtasks += 1;
    const { operatorId = '' } = this.#operator ?? {};
    if (this.#seen.has(subtask)) {
      const text = `subtask ${subtask} of operator ${operatorId} is there twice; Flink takes the last`;
      this.#find('DUPLICATE_SUBTASK', 'error', offset, text);
    }
    this.#seen.add(subtask);
    for (const { state, first, count, sparse, offset: at } of this.#open) {
      this.#ranges.push({ state, subtask, first, count, sparse, offset: at });
    }
    this.#open = [];
    this.#furthest = null;
  }

  #checkRanges(operator: OperatorHead, state: StateKind): void {
    const ranges = this.#ranges.filter((range) => range.state === state).sort((a, b) => a.first - b.first);
    if (ranges.length === 0) return;
    const withState = new Set(ranges.map(({ subtask }) => subtask));
    let covered = 0;
    let last: SubtaskRange | null = null;
    for (const range of ranges) {
      if (range.first > covered) this.#gap(operator, withState, [covered, range.first - 1], range.offset);
      if (last !== null && range.first < covered) this.#overlap(operator, last, range);
      if (last === null || range.first + range.count > covered) last = range;
      covered = Math.max(covered, range.first + range.count);
    }
    const offset = last?.offset ?? operator.offset;
    if (covered > operator.maxParallelism) {
      const text = `operator ${operator.operatorId} has key group ${covered - 1}, but ${operator.maxParallelism} key groups`;
      this.#find('KEY_GROUPS_OUT_OF_RANGE', 'error', offset, text);
    } else if (covered < operator.maxParallelism) {
      this.#gap(operator, withState, [covered, operator.maxParallelism - 1], offset);
    }
  }

  #overlap({ operatorId }: OperatorHead, left: SubtaskRange, right: SubtaskRange): void {
    const who = `subtasks ${left.subtask} and ${right.subtask} of operator ${operatorId}`;
    this.#find('KEY_GROUPS_OVERLAP', 'error', right.offset, `${who} both hold key group ${right.first}`);
  }

  /** A subtask that never had a key wrote nothing; one that wrote less than its share has lost keys. */
  #gap(operator: OperatorHead, withState: ReadonlySet<number>, range: [number, number], offset: number): void {
    const [first, last] = range;
    if (this.#ranges.some(({ sparse }) => sparse)) return;
    const { parallelism, maxParallelism, operatorId } = operator;
    const owner = (group: number) => Math.floor((group * parallelism) / maxParallelism);
    const isLoss = hasBetween(withState, owner(first), owner(last));
    const [groups, has] =
      first === last
        ? [`key group ${first}`, 'its subtask has']
        : [`key groups ${first} to ${last}`, isLoss ? 'a subtask of theirs has' : 'their subtasks have'];
    const why = isLoss ? `although ${has} some` : `and ${has} none at all`;
    const text = `operator ${operatorId} has keyed state, but none for ${groups}, ${why}`;
    this.#find('KEY_GROUPS_GAP', isLoss ? 'warning' : 'info', offset, text);
  }

  #find(code: CheckpointFindingCode, severity: CheckpointFinding['severity'], offset: number, message: string): void {
    this.#findings.add({ code, severity, file: this.#metadata.file, offset, message });
  }
}

/** Looks at the members or at the numbers, whichever are fewer: damage can name two thousand million subtasks. */
function hasBetween(members: ReadonlySet<number>, first: number, last: number): boolean {
  if (last - first > members.size) return [...members].some((member) => member >= first && member <= last);
  for (let each = first; each <= last; each++) if (members.has(each)) return true;
  return false;
}
