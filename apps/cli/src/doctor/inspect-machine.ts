import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism, freemem, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { startBackend } from '@sublace/backend';
import { dataCache, dataDirectories, DOWNLOADABLE, findDataset } from '@sublace/data';

/** One thing that was looked at. */
export interface Finding {
  /** Name for machines. */
  readonly key: string;
  /** Name for people. */
  readonly label: string;
  readonly value: string | number;
  /** What to do, when something better could be had. */
  readonly remedy?: string;
}

const GIB = 2 ** 30;

/**
 * Looks at everything that decides how a fit will run here. Starts the tf.js runtime of this process.
 *
 * @returns  The findings, most important first.
 */
export async function inspectMachine(): Promise<Finding[]> {
  return [...(await inspectRuntime()), ...inspectGpu(), ...inspectMemory(), inspectNode(), ...inspectFolders()];
}

async function inspectRuntime(): Promise<Finding[]> {
  const backend = await startBackend();
  const isNative = backend.name === 'tensorflow';
  const name = isNative
    ? `native TensorFlow ${backend.version}`
    : `WebAssembly ${backend.version} (${backend.fallbackReason ?? 'no native runtime'})`;
  return [
    {
      key: 'runtime',
      label: 'runtime',
      value: name,
      ...(!isNative && {
        remedy: "several times slower than the native runtime; install python3 with pip and g++, then run 'npm run setup'",
      }),
    },
    { key: 'device', label: 'device', value: backend.device },
    { key: 'threads', label: 'threads', value: `${backend.threads} of ${availableParallelism()}` },
  ];
}

function inspectGpu(): Finding[] {
  const query = ['--query-gpu=name,memory.total,compute_cap,driver_version', '--format=csv,noheader'];
  const run = spawnSync('nvidia-smi', query, { encoding: 'utf8', timeout: 10_000 });
  if (run.status !== 0) return [{ key: 'gpu', label: 'GPU', value: 'none' }];
  return run.stdout
    .trim()
    .split('\n')
    .map((line, index) => {
      const [name, memory, capability, driver] = line.split(', ');
      return {
        key: index === 0 ? 'gpu' : `gpu${index}`,
        label: 'GPU',
        value: `${name}, ${memory}, compute capability ${capability}, driver ${driver}`,
      };
    });
}

function inspectMemory(): Finding[] {
  const total = totalmem() / GIB;
  const value = `${(freemem() / GIB).toFixed(1)} GiB free of ${total.toFixed(1)} GiB`;
  return [
    {
      key: 'memory',
      label: 'memory',
      value,
      ...(total < 4 && { remedy: 'expected 4 GiB or more; keep the subnetwork small and use one worker' }),
    },
  ];
}

function inspectNode(): Finding {
  return { key: 'node', label: 'Node', value: `${process.versions.node} (${process.execPath})` };
}

function inspectFolders(): Finding[] {
  const cache = dirname(dataCache());
  const found = DOWNLOADABLE.filter((name) => findDataset(name) !== undefined);
  const names = found.length > 0 ? found.join(', ') : 'none';
  return [
    { key: 'cache', label: 'cache', value: existsSync(cache) ? cache : `${cache} (empty)` },
    { key: 'dataDirectories', label: 'data', value: dataDirectories().join(', ') },
    {
      key: 'datasets',
      label: 'data sets',
      value: names,
      ...(!found.includes('mnist') && {
        remedy: "the built-in digits are used where MNIST is not found; 'sublace data download mnist' brings it",
      }),
    },
  ];
}
