import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { runCluster, type ClusterOptions } from '../cluster/run-cluster.ts';
import { count } from '../options.ts';
import type { Terminal } from '../terminal/terminal.ts';

type ClusterFlags = Omit<ClusterOptions, 'onNote' | 'onLog'>;

async function cluster(flags: ClusterFlags, terminal: Terminal): Promise<void> {
  const { workers, threads, reducers, stateDir } = flags;
  const own = stateDir === undefined ? mkdtempSync(join(tmpdir(), 'sublace-cluster-')) : undefined;
  // However this process ends, Ctrl-C included.
  if (own !== undefined) process.on('exit', () => rmSync(own, { recursive: true, force: true }));
  const running = await runCluster({
    ...flags,
    stateDir: own ?? resolve(stateDir!),
    onNote: (line) => terminal.note(line),
    onLog: (line) => process.stderr.write(`${line}\n`),
  });
  const { address } = running;
  terminal.result({ address, workers, threads, reducers }, () => {
    const parts = [`coordinator ${address}`, `${workers} workers`, ...(reducers > 0 ? [`${reducers} reducers`] : [])];
    return `cluster is ready: ${parts.join(', ')}\nsubmit with 'sublace submit --coordinator ${address} ...'; Ctrl-C ends it`;
  });
  const failure = await running.failed;
  await running.stop();
  throw failure;
}

/**
 * `sublace cluster`: a whole cluster on this machine, in the foreground: coordinator, reducers and workers, each started again when it dies.
 *
 * @param terminal  Makes the terminal once the global options are known.
 * @returns  The command.
 */
export function localClusterCommand(terminal: () => Terminal): Command {
  return new Command('cluster')
    .description(
      'run a whole cluster on this machine, to submit jobs to: coordinator, reducers and workers, each started again when it dies',
    )
    .option('--workers <count>', 'worker processes', count({ min: 0, max: 256 }), 2)
    .option('--threads <count>', 'threads of the tensor runtime in each worker', count({ min: 1, max: 1024 }), 1)
    .option('--reducers <count>', 'processes that sum the tiles; 0: the coordinator does', count({ min: 0, max: 64 }), 0)
    .option('--port <port>', 'port of the coordinator, 0 for any', count({ min: 0, max: 65_535 }), 50_300)
    .option('--store <url>', 'redis://host[:port][/database][?namespace=name]: keep jobs in Redis (default: in the state folder)')
    .option('--state-dir <dir>', 'folder that lets jobs survive this command (default: a temporary one)')
    .option('--checkpoints <place>', 'folder, file:// or s3:// place of checkpoints of the sums (default: in the state folder)')
    .addOption(
      new Option('--log-level <level>', 'what every process logs').choices(['silent', 'error', 'warn', 'info', 'debug']).default('warn'),
    )
    .action((flags: ClusterFlags) => cluster(flags, terminal()));
}
