import { SublaceError } from '@sublace/errors';
import { CommanderError, InvalidArgumentError, type Command } from 'commander';

/**
 * A parser of whole numbers for one option.
 *
 * @param min  Smallest value.
 * @param max  Largest value.
 * @returns  The parser that commander calls with the text of the option.
 * @throws {InvalidArgumentError} (from the parser) when the text is not such a number.
 */
export function integerIn(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max)
      throw new InvalidArgumentError(`expected an integer from ${min} to ${max}, got '${text}'`);
    return value;
  };
}

/**
 * Parses the command line of a process.
 *
 * @param command  The command with its options.
 * @param args  Without the names of Node and of the script.
 * @returns  The options as commander delivers them, or null after `--help`, which has then been printed.
 * @throws SublaceError USAGE for a line that cannot be understood.
 */
export function parseCommand(command: Command, args: readonly string[]): Record<string, unknown> | null {
  command
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ outputError: () => undefined });
  try {
    command.parse(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return null;
    throw new SublaceError('USAGE', error.message.replace(/^error: /, '').replaceAll('\n', ' '), { cause: error });
  }
  return command.opts();
}
