import { Command, CommanderError } from 'commander';
import { SublaceError } from '@sublace/errors';
import { cancelCommand } from './commands/cancel.ts';
import { clusterCommands } from './commands/cluster.ts';
import { dataCommand } from './commands/data.ts';
import { demoCommand } from './commands/demo.ts';
import { doctorCommand } from './commands/doctor.ts';
import { evaluateCommand } from './commands/evaluate.ts';
import { fitCommand } from './commands/fit.ts';
import { inspectCommand } from './commands/inspect.ts';
import { jobsCommand } from './commands/jobs.ts';
import { localClusterCommand } from './commands/local-cluster.ts';
import { logsCommand } from './commands/logs.ts';
import { mergeCommand } from './commands/merge.ts';
import { predictCommand } from './commands/predict.ts';
import { registryCommand } from './commands/registry.ts';
import { scalingCommand } from './commands/scaling.ts';
import { serveCommand } from './commands/serve.ts';
import { simulateCommand } from './commands/simulate.ts';
import { submitCommand } from './commands/submit.ts';
import { swagCommand } from './commands/swag.ts';
import { trainCommand } from './commands/train.ts';
import { watchCommand } from './commands/watch.ts';
import { workersCommand } from './commands/workers.ts';
import { createTerminal, type Terminal } from './terminal/terminal.ts';

/**
 * The whole command line: every command with its options, none of them run yet.
 *
 * @returns  The program; {@link runProgram} runs it.
 */
export function createProgram(): Command {
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

  const commands = [
    trainCommand,
    swagCommand,
    fitCommand,
    evaluateCommand,
    predictCommand,
    inspectCommand,
    mergeCommand,
    dataCommand,
    demoCommand,
    doctorCommand,
    registryCommand,
    localClusterCommand,
    submitCommand,
    jobsCommand,
    watchCommand,
    logsCommand,
    cancelCommand,
    workersCommand,
    scalingCommand,
    simulateCommand,
  ];
  for (const command of commands) adopt(program, withJson(command(terminal)));
  for (const command of [serveCommand(), ...clusterCommands()]) {
    adopt(program, command);
    // The role's own --help is wanted.
    command.helpOption(false);
  }
  return program;
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
