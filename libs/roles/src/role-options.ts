import type { Security } from '@sublace/protocol';
import type { LogLevel } from '@sublace/telemetry';
import { Command, Option } from 'commander';
import { integerIn, parseCommand } from './command-line.ts';
import { addSecurityOptions, readSecurity } from './security-options.ts';

/** What every role of a cluster is told. */
export interface RoleOptions {
  /** Address to listen on. Elsewhere than on loopback a token is required. */
  host: string;
  /** Port of gRPC; 0 takes a free one. */
  port: number;
  /** Host name that the others reach this process by; `host` when absent. */
  advertiseHost?: string;
  /** Port that the others reach this process by, where a proxy or a container maps it; the port it listens on when absent. */
  advertisePort?: number;
  /** Port of `GET /metrics` and `GET /healthz`; no endpoint when absent. */
  metricsPort?: number;
  logLevel: LogLevel;
  /** What protects its connections. */
  security: Security;
}

/**
 * The command of a role with what every role shares: where it listens, what protects it, metrics, logs.
 *
 * @param name  As it is called in messages: `sublace worker`.
 * @param description  One sentence.
 * @param port  Port when none is given; 0 takes a free one.
 * @returns  The command; the role adds its own options.
 */
export function roleCommand(name: string, description: string, port = 0): Command {
  const command = new Command(name)
    .description(`${description} SUBLACE_TOKEN: shared token.`)
    .option('--host <address>', 'address to listen on; elsewhere than on loopback a token is required', '127.0.0.1')
    .option('--port <port>', 'port of gRPC, 0 for any', integerIn(0, 65535), port)
    .option('--advertise-host <name>', 'name that the others reach this process by (default: the host)')
    .option('--advertise-port <port>', 'port that the others reach this process by (default: the port it listens on)', integerIn(1, 65535))
    .option('--metrics-port <port>', 'port of GET /metrics and /healthz, 0 for any (default: none)', integerIn(0, 65535))
    .addOption(new Option('--log-level <level>', 'how much to log').choices(['silent', 'error', 'warn', 'info', 'debug']).default('info'));
  return addSecurityOptions(command, 'server');
}

/**
 * Reads the command line and environment of a role.
 *
 * @param command  Made by {@link roleCommand}.
 * @param args  Without the names of Node and of the script.
 * @param env  See {@link readSecurity}.
 * @returns  Complete options, or null after `--help`, which has then been printed.
 * @throws SublaceError USAGE for a line that cannot be understood, INVALID_ARGUMENT for unusable certificates.
 */
export function parseRole<Options extends RoleOptions>(command: Command, args: readonly string[], env: NodeJS.ProcessEnv): Options | null {
  const parsed = parseCommand(command, args);
  if (!parsed) return null;
  const { tokenFile: _token, tlsCert: _cert, tlsKey: _key, tlsCa: _ca, tlsServerName: _name, tlsClientAuth: _auth, ...rest } = parsed;
  return { ...rest, security: readSecurity(parsed, env) } as Options;
}
