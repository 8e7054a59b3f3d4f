import { Command } from 'commander';
import { runRole } from '../processes/run-role.ts';

/** What the serving process says when it is ready. */
interface Ready {
  readonly httpPort: number;
  readonly grpcPort: number;
  readonly model: string;
}

function isReady(value: unknown): value is Ready {
  return typeof value === 'object' && value !== null && 'httpPort' in value && 'grpcPort' in value && 'model' in value;
}

/** The ready message for people; every other line as it is. */
function explain(line: string): string {
  if (!line.startsWith('{')) return line;
  const value: unknown = JSON.parse(line);
  if (!isReady(value)) return line;
  return `serving '${value.model}': REST on port ${value.httpPort} (GET /v2/models/${value.model}), gRPC on port ${value.grpcPort}; Ctrl-C ends it`;
}

/**
 * `sublace serve`: the serving process in the foreground, with its own options.
 *
 * @returns  The command.
 */
export function serveCommand(): Command {
  return new Command('serve')
    .description('serve a posterior by REST and gRPC, with the Open Inference Protocol v2')
    .allowUnknownOption()
    .passThroughOptions()
    .argument('[options...]', 'options of the serving process; --help lists them')
    .action(async (args: string[]) => {
      const own = args.filter((arg) => arg !== '--json');
      const isJson = own.length < args.length;
      process.exitCode = await runRole('serving', own, (line) => process.stdout.write(`${isJson ? line : explain(line)}\n`));
    });
}
