import { Command } from 'commander';
import { addCoordinatorOptions, askCoordinator, type CoordinatorFlags } from '../jobs/ask-coordinator.ts';
import { describeWorkers } from '../jobs/describe.ts';
import type { Terminal } from '../terminal/terminal.ts';

/**
 * `sublace workers`: which workers and reducers are attached to a coordinator, and what each does.
 *
 * @param terminal  Makes the terminal once the global options are known.
 * @returns  The command.
 */
export function workersCommand(terminal: () => Terminal): Command {
  const command = new Command('workers').description('list the workers and reducers of a cluster, and what each does');
  return addCoordinatorOptions(command).action(async (flags: CoordinatorFlags) => {
    const workers = await askCoordinator(flags, (client) => client.listWorkers());
    terminal().result({ workers }, () => describeWorkers(workers, Date.now()));
  });
}
