import { SublaceError } from '@sublace/errors';
import { readTls, readToken, type Security } from '@sublace/protocol';
import { Option, type Command } from 'commander';

/** Each setting as an option and as a variable; the option wins. Never the token itself: everybody on the machine can read command lines. */
const SETTINGS = [
  ['tokenFile', '--token-file <file>', 'file with the shared token of the cluster, instead of SUBLACE_TOKEN'],
  ['tlsCert', '--tls-cert <file>', 'certificate of this process with its chain, PEM; SUBLACE_TLS_CERT'],
  ['tlsKey', '--tls-key <file>', 'key of the certificate, PEM; SUBLACE_TLS_KEY'],
  ['tlsCa', '--tls-ca <file>', "authorities that peers' certificates come from, PEM, or 'system'; SUBLACE_TLS_CA"],
  ['tlsServerName', '--tls-server-name <name>', 'name to expect in the certificates of servers, not that of their address'],
] as const;

/** `tlsServerName` is `SUBLACE_TLS_SERVER_NAME`. */
function variableOf(key: string): string {
  return `SUBLACE_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/**
 * Adds the options that protect connections.
 *
 * @param command  Any command that talks to a cluster.
 * @param role  `server` adds what only a process that listens needs.
 * @returns  The same command.
 */
export function addSecurityOptions(command: Command, role: 'client' | 'server'): Command {
  for (const [, flags, description] of SETTINGS) command.option(flags, description);
  if (role === 'server') {
    command.addOption(
      new Option('--tls-client-auth', 'take calls only from clients with a certificate of --tls-ca; SUBLACE_TLS_CLIENT_AUTH'),
    );
  }
  return command;
}

/**
 * Every variable of the environment that {@link readSecurity} reads.
 *
 * @returns  Their names.
 */
export function securityVariables(): string[] {
  return ['SUBLACE_TOKEN', 'SUBLACE_TLS_CLIENT_AUTH', ...SETTINGS.map(([key]) => variableOf(key))];
}

/**
 * How a process protects its connections, by its options and environment.
 *
 * @param options  As commander delivers them.
 * @param env  `SUBLACE_TOKEN`, `SUBLACE_TOKEN_FILE`, `SUBLACE_TLS_CERT`, `SUBLACE_TLS_KEY`, `SUBLACE_TLS_CA`, `SUBLACE_TLS_SERVER_NAME`,
 *   `SUBLACE_TLS_CLIENT_AUTH` (1 or true).
 * @returns  Token and certificates, read and checked.
 * @throws SublaceError INVALID_ARGUMENT for a file that is missing or is not what it should be, USAGE for settings that do not go together.
 */
export function readSecurity(options: Readonly<Record<string, unknown>>, env: NodeJS.ProcessEnv): Security {
  const setting = (key: (typeof SETTINGS)[number][0]): string | undefined => {
    const value = options[key];
    return typeof value === 'string' ? value : variable(variableOf(key), env);
  };
  const token = readToken(setting('tokenFile'), variable('SUBLACE_TOKEN', env));
  const tls = readTls({
    cert: setting('tlsCert'),
    key: setting('tlsKey'),
    ca: setting('tlsCa'),
    serverName: setting('tlsServerName'),
    requireClientCertificate: options['tlsClientAuth'] === true || isOn('SUBLACE_TLS_CLIENT_AUTH', env),
  });
  return { ...(token !== undefined && { token }), ...(tls && { tls }) };
}

/** A variable that is set to nothing is not set. */
function variable(name: string, env: NodeJS.ProcessEnv): string | undefined {
  return env[name] === '' ? undefined : env[name];
}

function isOn(name: string, env: NodeJS.ProcessEnv): boolean {
  const text = env[name] ?? '';
  if (['1', 'true'].includes(text)) return true;
  if (['', '0', 'false'].includes(text)) return false;
  throw new SublaceError('USAGE', `${name}: expected 1, true, 0 or false, got '${text}'`);
}
