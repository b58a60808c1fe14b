// jobrec inspect: what a store holds, or with --events its events one by one. Spec: docs/commands.md "inspect".
import { Flags } from '@oclif/core';
import { type ArgsOf, BaseCommand, type FlagsOf } from '../cli/base-command.ts';
import { exitCodes } from '../cli/exit-codes.ts';
import { commaList, wholeNumber } from '../cli/flag-values.ts';
import { storeArg, topologyFlag, untilFlag } from '../cli/flags.ts';
import type { EventLinesOptions } from '../services/event-lines.ts';

export class InspectCommand extends BaseCommand<typeof InspectCommand> {
  static override summary = 'Show what a store holds: files, events, job, vertices; or its events one by one.';
  static override description =
    'Needs no lock and changes nothing; works on the store of a running job. A damaged store is shown up to the damage (exit 3). The flags that select events imply --events; with --json the events are one object per line.';
  static override examples = [
    { description: 'What is in this store?', command: '<%= config.bin %> inspect .jobrec' },
    {
      description: 'What failed, and when?',
      command: '<%= config.bin %> inspect .jobrec --type execution-failed,worker-lost',
    },
    {
      description: 'The last ten minutes of one vertex',
      command: '<%= config.bin %> inspect .jobrec --vertex totals --from -10m',
    },
    { description: 'For a script', command: '<%= config.bin %> inspect .jobrec --json' },
  ];
  static override args = { store: storeArg };
  static override flags = {
    events: Flags.boolean({ description: 'The events themselves, in log order.' }),
    type: Flags.string({ helpValue: 'A,B', description: 'Only events of these kinds.' }),
    vertex: Flags.string({ helpValue: 'V', description: 'Only events of this vertex (id, or name where unique).' }),
    from: Flags.string({ helpValue: 'P', description: 'First event to show (a position, see --until).' }),
    until: untilFlag,
    limit: Flags.string({ char: 'n', helpValue: 'N', description: 'At most N events.' }),
    raw: Flags.boolean({ description: "Each event's bytes too, in hexadecimal." }),
    topology: topologyFlag,
  };

  override async run(): Promise<void> {
    const options = eventOptions(this.flags, this.args);
    if (wantsEvents(this.flags)) await this.#events(options);
    else await this.#summary(options);
  }

  async #summary(options: EventLinesOptions): Promise<void> {
    const { inspectStore } = await import('../services/inspect.ts');
    const { renderInspect } = await import('../render/inspect.ts');
    const report = await inspectStore(options);
    await this.finish(report, renderInspect, report.damage === null ? exitCodes.done : exitCodes.found);
  }

  async #events(options: EventLinesOptions): Promise<void> {
    const { eventLines } = await import('../services/event-lines.ts');
    const { renderEventDamage, renderEventLine } = await import('../render/events.ts');
    const { out } = this;
    const { lines, damage, firstSequence } = await eventLines(options);
    if (firstSequence > 0) out.warn(`the log begins with sequence ${firstSequence}: the events before were retired`);
    try {
      for await (const line of lines) {
        if (out.json) await out.line(line);
        else await out.textLine(renderEventLine(line, out.style));
      }
    } finally {
      // Also before an error: its line comes after those that were read.
      await out.flush();
    }
    const found = await damage();
    if (found !== null && out.json) await out.line({ damage: found });
    else if (found !== null) await out.textLine(renderEventDamage(found, out.style));
    await out.flush();
    process.exitCode = found === null ? exitCodes.done : exitCodes.found;
  }
}

type InspectFlags = FlagsOf<typeof InspectCommand>;

function wantsEvents(flags: InspectFlags): boolean {
  const { events, type, vertex, from, until, limit, raw } = flags;
  return events || raw || [type, vertex, from, until, limit].some((value) => value !== undefined);
}

function eventOptions(flags: InspectFlags, args: ArgsOf<typeof InspectCommand>): EventLinesOptions {
  return {
    location: args.store,
    topology: flags.topology ?? [],
    types: commaList('--type', flags.type),
    vertex: flags.vertex ?? null,
    from: flags.from ?? null,
    until: flags.until ?? null,
    limit: wholeNumber('-n', flags.limit, 1),
    raw: flags.raw,
  };
}
