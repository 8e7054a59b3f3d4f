import { Command } from 'commander';
import { addFitOptions, addOutputOptions, fitSpecOf, type FitFlags } from '../fit/fit-options.ts';
import { followJob } from '../fit/follow-job.ts';
import { addCoordinatorOptions, askCoordinator, type CoordinatorFlags } from '../jobs/ask-coordinator.ts';
import { reportOutcome } from '../jobs/report-outcome.ts';
import { integer } from '../options.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** Options as commander delivers them. */
interface SubmitFlags extends FitFlags, CoordinatorFlags {
  readonly out: string;
  readonly priority: number;
  readonly wait?: boolean;
}

/** Priorities travel as 32-bit integers. */
const PRIORITY_MAX = 2 ** 31 - 1;

async function submit(flags: SubmitFlags, terminal: Terminal): Promise<void> {
  const spec = await fitSpecOf(flags, flags.out);
  await askCoordinator(flags, async (client) => {
    const jobId = await client.submitJob({ ...spec }, { priority: flags.priority });
    if (flags.wait !== true) {
      terminal.result({ jobId }, () => jobId);
      return;
    }
    terminal.note(`job ${jobId} is submitted`);
    reportOutcome(await followJob(client, jobId, terminal), terminal);
  });
}

/**
 * `sublace submit`: hands a fit to a cluster and returns.
 *
 * @param terminal  Makes the terminal once the global options are known.
 * @returns  The command.
 */
export function submitCommand(terminal: () => Terminal): Command {
  const command = new Command('submit').description('hand a fit to a cluster, print the id of its job, and return');
  return addCoordinatorOptions(addOutputOptions(addFitOptions(command)))
    .option(
      '--priority <number>',
      'higher ones are served first, equal ones in the order of submission',
      integer({ min: -PRIORITY_MAX, max: PRIORITY_MAX }),
      0,
    )
    .option('--wait', 'follow the job to its end, as watch does')
    .action((flags: SubmitFlags) => submit(flags, terminal()));
}
