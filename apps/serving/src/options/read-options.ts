import { readFileSync } from 'node:fs';
import { SublaceError } from '@sublace/errors';
import { parseCommand } from '@sublace/roles';
import { Command, Option } from 'commander';
import { checkTogether } from './check-together.ts';
import { flagOf, optionEntries, optionTable, variableOf, type OptionKey, type OptionSpec, type OptionValues } from './option-table.ts';

/** Everything that the serving process is told. */
export type ServeOptions = Readonly<OptionValues>;

/**
 * Reads the options of the serving process: a flag goes before its variable, that before the file, that before the default.
 *
 * @param args  Without the names of Node and of the script.
 * @param env  The environment; a variable that is set to nothing is not set.
 * @param print  Where `--print-config` goes.
 * @returns  All options, or null after `--help` and `--print-config`, which has then been printed.
 * @throws SublaceError USAGE for a value that is not what it should be, named by where it came from, and for options that do not go together;
 *   INVALID_ARGUMENT for a file that cannot be read, and for listening elsewhere than on loopback without a token.
 */
export function readOptions(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  print: (text: string) => void = (text) => void process.stdout.write(text),
): ServeOptions | null {
  const flags = parseCommand(serveCommand(), args);
  if (!flags) return null;
  const configFile =
    (flags['config'] as string | undefined) ?? (env['SUBLACE_SERVE_CONFIG'] === '' ? undefined : env['SUBLACE_SERVE_CONFIG']);
  const file = configFile === undefined ? {} : readConfig(configFile);
  const values: Record<string, unknown> = {};
  for (const [key, spec] of optionEntries) {
    const variable = variableOf(key, spec);
    if (Object.hasOwn(flags, key)) values[key] = checked(flagOf(key), spec, fromFlag(spec, flags[key]));
    else if (env[variable]) values[key] = checked(variable, spec, spec.kind.fromText(env[variable]));
    else if (Object.hasOwn(file, key)) values[key] = file[key];
    else values[key] = spec.default;
  }
  const options = values as OptionValues;
  checkTogether(options);
  if (!options.printConfig) return options;
  print(`${JSON.stringify(configOf(options), null, 2)}\n`);
  return null;
}

/** What `--print-config` shows: a file that says the same, but for secrets. */
function configOf(options: ServeOptions): Record<string, unknown> {
  const shown = optionEntries.filter(([key, spec]) => options[key] !== undefined && !spec.isFlagOnly);
  return Object.fromEntries(shown.map(([key, spec]) => [key, spec.isSecret ? '[secret]' : withoutPassword(options[key])]));
}

/** Addresses of Redis may hold one. */
function withoutPassword(value: unknown): unknown {
  return typeof value === 'string' ? value.replace(/(:\/\/[^\s:@/]*):[^\s@/]+@/, '$1:[secret]@') : value;
}

function serveCommand(): Command {
  const command = new Command('sublace serve')
    .description('Serve posteriors by REST and gRPC, with the Open Inference Protocol v2.')
    .addHelpText('after', helpAfter());
  for (const [key, spec] of optionEntries) {
    if (!spec.isSecret) for (const option of flagsOf(key, spec)) command.addOption(option.helpGroup(`${spec.group}:`));
  }
  return command;
}

/** Defaults are not commander's business: a flag that is not given must not hide a variable or the file. */
function flagsOf(key: OptionKey, { kind, help, ...spec }: OptionSpec<unknown>): Option[] {
  const { placeholder, isList } = kind;
  if (placeholder === null) {
    const isDefault = spec.default === true;
    const on = new Option(flagOf(key), isDefault ? `${help} (default)` : help);
    const off = new Option(`--no-${flagOf(key).slice(2)}`, spec.helpOff);
    return [on.hideHelp(key === 'page'), off.hideHelp(!isDefault)];
  }
  const shown = spec.default === undefined ? help : `${help} (default: ${String(spec.default as string | number)})`;
  const option = new Option(`${flagOf(key)} <${placeholder}>`, shown);
  return [isList ? option.argParser((value: string, before: string[] | undefined) => [...(before ?? []), value]) : option];
}

function fromFlag(spec: OptionSpec<unknown>, value: unknown): unknown {
  return typeof value === 'string' ? spec.kind.fromText(value) : value;
}

function helpAfter(): string {
  const secrets = optionEntries.filter(([, spec]) => spec.isSecret).map(([key, spec]) => `  ${variableOf(key, spec)}: ${spec.help}`);
  return `
Every option is also a variable (--http-port: SUBLACE_SERVE_HTTP_PORT; those of TLS: SUBLACE_TLS_CERT, ..._KEY, ..._CA, ..._CLIENT_AUTH) and a key of the
file (httpPort). A flag goes before its variable, that before the file. Only variables, since everybody on a machine can read command lines:
${secrets.join('\n')}
SIGTERM: not ready at once, then no new connections, then the end. SIGHUP: tokens and certificates are read again.`;
}

function checked(where: string, { kind }: OptionSpec<unknown>, value: unknown): unknown {
  const result = kind.schema.safeParse(value);
  if (result.success) return result.data;
  const got = typeof value === 'string' ? `'${value}'` : JSON.stringify(value);
  throw new SublaceError('USAGE', `${where}: expected ${kind.expected}, got ${got.slice(0, 200).replaceAll(/\s+/g, ' ')}`);
}

/** The keys of a file. */
function readConfig(file: string): Record<string, unknown> {
  const fail = (code: 'INVALID_ARGUMENT' | 'USAGE', what: string, cause?: unknown): never => {
    throw new SublaceError(code, `${file}: expected ${what}`, { cause });
  };
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (error) {
    return fail('INVALID_ARGUMENT', `a file that can be read, got ${(error as NodeJS.ErrnoException).code}; check --config`, error);
  }
  let config: unknown;
  try {
    config = JSON.parse(content);
  } catch (error) {
    return fail('USAGE', `JSON, got ${(error as Error).message.replaceAll(/\s+/g, ' ')}`, error);
  }
  if (typeof config !== 'object' || config === null || Array.isArray(config)) return fail('USAGE', 'a JSON object with options');
  for (const key of Object.keys(config)) {
    const spec = Object.hasOwn(optionTable, key) ? (optionTable[key as OptionKey] as OptionSpec<unknown>) : undefined;
    if (!spec) fail('USAGE', `options by their keys, got '${key.slice(0, 100)}'${nearest(key)}; sublace serve --help lists them`);
    if (spec?.isSecret) fail('USAGE', `no tokens in it, got '${key}'; set ${variableOf(key, spec)}, or name a file of tokens`);
    if (spec?.isFlagOnly) fail('USAGE', `options that a file may have, got '${key}'; use ${flagOf(key)}`);
  }
  // Checked whole, also what a flag or a variable goes before: a file that is wrong is wrong without them too.
  const values = config as Record<string, unknown>;
  const given = optionEntries.filter(([key]) => Object.hasOwn(values, key));
  return Object.fromEntries(given.map(([key, spec]) => [key, checked(`${file}: ${key}`, spec, values[key])]));
}

/** The key that was meant, where a flag or a variable was written, or case was mixed up. */
function nearest(key: string): string {
  const plain = (word: string): string =>
    word
      .toLowerCase()
      .replace(/^sublace_serve_/, '')
      .replaceAll(/[^a-z]/g, '');
  const meant = Object.keys(optionTable).find((candidate) => plain(candidate) === plain(key));
  return meant ? ` for '${meant}'` : '';
}
