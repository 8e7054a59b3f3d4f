import { Command, CommanderError } from 'commander';
import { SublaceError } from '@sublace/errors';
import { clusterCommands } from './commands/cluster.ts';
import { serveCommand } from './commands/serve.ts';
import { createTerminal, type Terminal } from './terminal/terminal.ts';

type CommandFactory = (terminal: () => Terminal) => Command;

/** Commands with a result, in the order of the help. Loading all takes over a second, since some bring the numerics with them. */
const COMMANDS: Readonly<Record<string, () => Promise<CommandFactory>>> = {
  train: async () => (await import('./commands/train.ts')).trainCommand,
  swag: async () => (await import('./commands/swag.ts')).swagCommand,
  fit: async () => (await import('./commands/fit.ts')).fitCommand,
  evaluate: async () => (await import('./commands/evaluate.ts')).evaluateCommand,
  predict: async () => (await import('./commands/predict.ts')).predictCommand,
  inspect: async () => (await import('./commands/inspect.ts')).inspectCommand,
  merge: async () => (await import('./commands/merge.ts')).mergeCommand,
  truncate: async () => (await import('./commands/truncate.ts')).truncateCommand,
  data: async () => (await import('./commands/data.ts')).dataCommand,
  demo: async () => (await import('./commands/demo.ts')).demoCommand,
  doctor: async () => (await import('./commands/doctor.ts')).doctorCommand,
  registry: async () => (await import('./commands/registry.ts')).registryCommand,
  cluster: async () => (await import('./commands/local-cluster.ts')).localClusterCommand,
  submit: async () => (await import('./commands/submit.ts')).submitCommand,
  jobs: async () => (await import('./commands/jobs.ts')).jobsCommand,
  watch: async () => (await import('./commands/watch.ts')).watchCommand,
  logs: async () => (await import('./commands/logs.ts')).logsCommand,
  cancel: async () => (await import('./commands/cancel.ts')).cancelCommand,
  workers: async () => (await import('./commands/workers.ts')).workersCommand,
  scaling: async () => (await import('./commands/scaling.ts')).scalingCommand,
  simulate: async () => (await import('./commands/simulate.ts')).simulateCommand,
};

/**
 * The command line, none of it run yet.
 *
 * @param args  Arguments that it is for, without the names of Node and of the script: where they name a command, only that one is loaded.
 * @returns  The program; {@link runProgram} runs it.
 */
export async function createProgram(args: readonly string[] = []): Promise<Command> {
  const program = new Command('sublace')
    .description('Calibrated uncertainty for trained neural networks, by subnetwork linearised Laplace inference.')
    .option('--json', 'print results as JSON on standard output, with no progress')
    .version('0.1.0')
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
    .showHelpAfterError(false);
  let isJson = false;
  program.hook('preAction', (_, command) => {
    isJson = command.optsWithGlobals<{ json?: boolean }>().json === true;
  });
  const terminal = (): Terminal => createTerminal(isJson);

  const name = args.find((arg) => !arg.startsWith('-')) ?? '';
  const wanted = Object.hasOwn(COMMANDS, name) ? [COMMANDS[name]] : Object.values(COMMANDS);
  const commands = await Promise.all(isRole(name) ? [] : wanted.map((load) => load()));
  for (const command of commands) adopt(program, withJson(command(terminal)));
  for (const command of [serveCommand(), ...clusterCommands()]) {
    adopt(program, command);
    // The role's own --help is wanted.
    command.helpOption(false);
  }
  return program;
}

/** Whether a command is a process of its own, with options of its own. */
function isRole(name: string): boolean {
  return [serveCommand(), ...clusterCommands()].some((command) => command.name() === name);
}

/** Adds a command whose errors are thrown, like those of its parent, and those of its own sub-commands likewise. */
function adopt(parent: Command, command: Command): void {
  command.copyInheritedSettings(parent);
  for (const child of command.commands) child.copyInheritedSettings(parent);
  parent.addCommand(command);
}

/** Lets `--json` stand after the command as well as before it. */
function withJson(command: Command): Command {
  for (const child of command.commands) withJson(child);
  return command.option('--json', 'print the result as JSON, with no progress');
}

/**
 * Runs a command line.
 *
 * @param program  What {@link createProgram} made.
 * @param args  Arguments, without the names of Node and of the script.
 * @throws {SublaceError} USAGE when the line cannot be understood; whatever the command throws.
 */
export async function runProgram(program: Command, args: readonly string[]): Promise<void> {
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return;
    if (error.code === 'commander.help')
      throw new SublaceError('USAGE', "expected a command, got none; 'sublace --help' lists them", { cause: error });
    throw new SublaceError('USAGE', error.message.replace(/^error: /, '').replaceAll('\n', ' '), { cause: error });
  }
}
