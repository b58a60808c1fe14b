// What every command shares: --json and --no-color, one way to print, and oclif's parser errors as one line. A
// command throws, it never prints an error and never exits: main.ts maps what was thrown to output and exit code.
import { Command, Flags, type Interfaces } from '@oclif/core';
import type { Style } from '../render/style.ts';
import { Output } from './output.ts';
import { type CommandShape, spoken, usageErrorOf } from './usage-errors.ts';

export type FlagsOf<T extends typeof Command> = Interfaces.InferredFlags<
  (typeof BaseCommand)['baseFlags'] & T['flags']
>;
export type ArgsOf<T extends typeof Command> = Interfaces.InferredArgs<T['args']>;

export abstract class BaseCommand<T extends typeof Command> extends Command {
  static override baseFlags = {
    json: Flags.boolean({ description: 'Print one JSON document (lists: one object per line).', helpGroup: 'global' }),
    'no-color': Flags.boolean({ description: 'No colours, also on a terminal.', helpGroup: 'global' }),
  };

  protected flags!: FlagsOf<T>;
  protected args!: ArgsOf<T>;
  protected out!: Output;

  override async init(): Promise<void> {
    const { flags, args } = await this.#parseOrExplain();
    this.flags = flags;
    this.args = args;
    this.out = new Output(process, { json: this.flags.json, noColor: this.flags['no-color'] });
  }

  /** Prints a report and sets the exit code that the process ends with. */
  protected async finish<Report extends object>(
    report: Report,
    render: (report: Report, style: Style) => string,
    exitCode: number,
  ): Promise<void> {
    await this.out.report(report, render);
    process.exitCode = exitCode;
  }

  /** oclif would print here; main.ts does. */
  override async catch(error: Error): Promise<never> {
    throw error;
  }

  async #parseOrExplain(): Promise<{ flags: FlagsOf<T>; args: ArgsOf<T> }> {
    const shape = shapeOf(this.ctor);
    try {
      const parsed = await this.parse({
        flags: this.ctor.flags,
        baseFlags: BaseCommand.baseFlags,
        args: this.ctor.args,
      });
      return { flags: parsed.flags as FlagsOf<T>, args: parsed.args as ArgsOf<T> };
    } catch (error) {
      throw usageErrorOf(error, shape);
    }
  }
}

function shapeOf(command: typeof Command): CommandShape {
  return { id: spoken(command.id), flags: { ...command.flags, ...BaseCommand.baseFlags }, args: command.args };
}
