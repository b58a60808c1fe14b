// Help of one command: oclif's, but for the examples, which stand on one line each. oclif wraps them at the terminal's width,
// also inside quotes, where a backslash at the end of a line is no continuation: pasted, they would be syntax errors.
import { type Command, CommandHelp } from '@oclif/core';

export class JobrecCommandHelp extends CommandHelp {
  protected override examples(examples: Command.Example[] | string | undefined): string | undefined {
    if (typeof examples !== 'object') return super.examples(examples);
    return examples.map((each) => (typeof each === 'string' ? each : this.#example(each))).join('\n\n');
  }

  #example({ description, command }: Exclude<Command.Example, string>): string {
    const line = this.render(command);
    const prompted = line.startsWith('$ ') ? line : `$ ${line}`;
    return `${this.wrap(description, this.indentSpacing * 2)}\n\n${this.indent(prompted)}`;
  }
}
