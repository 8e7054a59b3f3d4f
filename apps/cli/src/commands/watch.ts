import type { ProgressEvent } from '@sublace/protocol';
import { Command } from 'commander';
import { followJob } from '../fit/follow-job.ts';
import { addCoordinatorOptions, askCoordinator, type CoordinatorFlags } from '../jobs/ask-coordinator.ts';
import { reportOutcome } from '../jobs/report-outcome.ts';
import type { Terminal } from '../terminal/terminal.ts';

/**
 * `sublace watch`: follows a job to its end; the exit code says how it ended.
 *
 * @param terminal  Makes the terminal once the global options are known.
 * @returns  The command.
 */
export function watchCommand(terminal: () => Terminal): Command {
  const command = new Command('watch')
    .description(
      'follow a job to its end, with --json an object per event; the exit code is 0 when it succeeded, that of its failure, or 130 when it was cancelled',
    )
    .argument('<job>', 'id of the job');
  return addCoordinatorOptions(command).action(async (jobId: string, flags: CoordinatorFlags) => {
    const shown = terminal();
    const onEvent = (event: ProgressEvent): void => shown.result(event, () => '');
    const options = shown.json ? { onEvent } : {};
    const last = await askCoordinator(flags, (client) => followJob(client, jobId, shown, options));
    if (!shown.json) reportOutcome(last, shown);
  });
}
