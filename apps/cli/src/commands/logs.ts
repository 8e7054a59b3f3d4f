import { Command } from 'commander';
import { addCoordinatorOptions, askCoordinator, type CoordinatorFlags } from '../jobs/ask-coordinator.ts';
import { describeLine } from '../jobs/describe.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** Options as commander delivers them. */
interface LogsFlags extends CoordinatorFlags {
  readonly follow?: boolean;
}

/**
 * `sublace logs`: what happened to a job, a line per change of state.
 *
 * @param terminal  Makes the terminal once the global options are known.
 * @returns  The command.
 */
export function logsCommand(terminal: () => Terminal): Command {
  const command = new Command('logs')
    .description('print what happened to a job; with --json an object per line')
    .argument('<job>', 'id of the job');
  return addCoordinatorOptions(command)
    .option('--follow', 'go on until the job has ended')
    .action(async (jobId: string, flags: LogsFlags) => {
      const { result } = terminal();
      await askCoordinator(flags, async (client) => {
        for await (const line of client.readLog(jobId, { follow: flags.follow === true })) result(line, () => describeLine(line));
      });
    });
}
