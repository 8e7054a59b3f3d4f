import type { Role } from '@sublace/roles';
import { Command } from 'commander';
import { runRole } from '../processes/run-role.ts';

function roleCommand(role: Role, name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .allowUnknownOption()
    .passThroughOptions()
    .argument('[options...]', `options of the ${role}; --help lists them`)
    .action(async (args: string[]) => {
      process.exitCode = await runRole(role, args);
    });
}

/**
 * `sublace coordinator`, `sublace reducer` and `sublace worker`: the roles of a cluster, each in the foreground with its own options.
 *
 * @returns  The commands.
 */
export function clusterCommands(): Command[] {
  return [
    roleCommand('coordinator', 'coordinator', 'run the coordinator of a cluster: gives out shards, sums what comes back'),
    roleCommand('reducer', 'reducer', 'run one reducer of a cluster: sums some of the tiles of every fit'),
    roleCommand('worker', 'worker', 'run one worker of a cluster: leases shards and computes them'),
  ];
}
