import { Command } from 'commander';
import { runRole } from '../processes/run-role.ts';

/** What the serving process says when it is ready. */
interface Ready {
  readonly httpPort: number;
  readonly grpcPort: number;
  /** Null where there is none. */
  readonly metricsPort: number | null;
  readonly tls: boolean;
  /** Names of the models. */
  readonly models: readonly string[];
}

function isReady(value: unknown): value is Ready {
  return typeof value === 'object' && value !== null && 'httpPort' in value && 'grpcPort' in value && 'models' in value;
}

/** Other lines are help, or options over several lines. */
function tryParse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** The ready message for people; every other line as it is. */
function explain(line: string): string {
  const value = tryParse(line);
  if (!isReady(value)) return line;
  const { httpPort, grpcPort, metricsPort, tls, models } = value;
  const what = models.length === 0 ? 'no model yet' : models.map((model) => `'${model}'`).join(', ');
  const metrics = metricsPort === null ? '' : `, metrics on port ${metricsPort}`;
  const how = `${tls ? 'with TLS, ' : ''}REST on port ${httpPort} (GET /v2/models/${models[0] ?? 'NAME'})`;
  return `serving ${what}: ${how}, gRPC on port ${grpcPort}${metrics}; Ctrl-C ends it`;
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
