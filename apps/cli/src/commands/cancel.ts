import { SublaceError } from '@sublace/errors';
import { Command } from 'commander';
import { addCoordinatorOptions, askCoordinator, type CoordinatorFlags } from '../jobs/ask-coordinator.ts';
import { standingOf } from '../jobs/standing-of.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** Options as commander delivers them. */
interface CancelFlags extends CoordinatorFlags {
  readonly reason?: string;
}

/**
 * `sublace cancel`: ends a job that is not finished. One that was cancelled before stays so, which is no error.
 *
 * @param terminal  Makes the terminal once the global options are known.
 * @returns  The command.
 */
export function cancelCommand(terminal: () => Terminal): Command {
  const command = new Command('cancel')
    .description('end a job that is not finished; nothing is published')
    .argument('<job>', 'id of the job');
  return addCoordinatorOptions(command)
    .option('--reason <text>', 'why, for those who watch the job')
    .action(async (jobId: string, flags: CancelFlags) => {
      const { state } = await askCoordinator(flags, async (client) => {
        await client.cancelJob(jobId, flags.reason);
        return standingOf(client, jobId);
      });
      if (state !== 'cancelled')
        throw new SublaceError('INVALID_ARGUMENT', `job ${jobId}: expected one that is not finished, got one that has ${state}`);
      terminal().result({ jobId, state }, () => `job ${jobId} is cancelled`);
    });
}
