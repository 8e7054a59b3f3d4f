import { Command } from 'commander';
import { addCoordinatorOptions, askCoordinator, type CoordinatorFlags } from '../jobs/ask-coordinator.ts';
import { describeJobs } from '../jobs/describe.ts';
import type { Terminal } from '../terminal/terminal.ts';

/**
 * `sublace jobs`: every job of a coordinator, where it stands and what it waits for.
 *
 * @param terminal  Makes the terminal once the global options are known.
 * @returns  The command.
 */
export function jobsCommand(terminal: () => Terminal): Command {
  const command = new Command('jobs').description('list the jobs of a cluster: state, progress, and what each waits for');
  return addCoordinatorOptions(command).action(async (flags: CoordinatorFlags) => {
    const jobs = await askCoordinator(flags, (client) => client.listJobs());
    terminal().result({ jobs }, () => describeJobs(jobs, Date.now()));
  });
}
