import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { startBackend } from '@sublace/backend';
import { checkInputShape, loadDataset, type Dataset } from '@sublace/data';
import { SublaceError } from '@sublace/errors';
import { openPosterior, type PredictedOutput } from '@sublace/pipeline';
import { LINKS, type Link } from '@sublace/predictive';
import { writeNpy } from '@sublace/tensor-files';
import { Command, Option } from 'commander';
import { count } from '../options.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** Options as commander gives them. */
interface PredictCommandOptions {
  readonly posterior: string;
  readonly input: string;
  readonly output?: string;
  readonly outputs?: string;
  readonly link?: Link;
  readonly samples?: number;
  readonly seed?: number;
}

/**
 * `sublace predict`: predictions with their uncertainty for the examples in a file.
 *
 * @param terminal  Makes the terminal once the global options are known.
 * @returns  The command.
 */
export function predictCommand(terminal: () => Terminal): Command {
  return new Command('predict')
    .description('predict for the examples in a file, with uncertainty')
    .requiredOption('--posterior <dir>', 'folder of the posterior')
    .requiredOption('--input <file>', 'inputs in raw units: .npy, .csv (inputs only), .json (nested lists), or any data SPEC')
    .option('--output <file>', '.csv, .json, or .npy for a single output (default: CSV on standard output)')
    .option('--outputs <names>', 'comma-separated (default: probabilities,logit_variance,entropy or mean,variance)')
    .addOption(new Option('--link <link>', 'from logits to probabilities').choices(LINKS))
    .option('--samples <count>', 'draws of the Monte Carlo link', count())
    .option('--seed <seed>', 'seed of the Monte Carlo link', count({ min: 0 }))
    .action(async ({ posterior, input, output, outputs, ...knobs }: PredictCommandOptions) => {
      const write = output === undefined ? undefined : writerOf(output);
      await startBackend();
      const fitted = await openPosterior(posterior);
      const data = checkInputShape(await readInputs(input, fitted.inputShape), fitted.inputShape);
      const predicted = fitted.predict(data.inputs, data.count, { ...knobs, ...(outputs !== undefined && { outputs: outputs.split(',') }) });
      fitted.dispose();
      if (write) {
        write(predicted);
        terminal().note(`${output}: ${data.count} examples, ${predicted.map(({ name }) => name).join(', ')}`);
      } else terminal().result(asObject(predicted), () => asCsv(predicted).trimEnd());
    });
}

async function readInputs(input: string, inputShape: readonly number[]): Promise<Dataset> {
  if (/\.json$/i.test(input)) return readJson(input, inputShape);
  if (/\.(csv|tsv)(\.gz)?$/i.test(input)) return loadDataset(`${input}?target=none`);
  return loadDataset(input, { split: 'test' });
}

function readJson(file: string, inputShape: readonly number[]): Dataset {
  if (!existsSync(file)) throw new SublaceError('DATA_INVALID', `input: expected a file, got nothing at '${file}'`);
  let nested: unknown;
  try {
    nested = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new SublaceError('DATA_INVALID', `${file}: expected JSON, got ${error instanceof Error ? error.message : 'something else'}`, { cause: error });
  }
  const size = inputShape.reduce((product, extent) => product * extent, 1);
  const values = Array.isArray(nested) ? (nested.flat(Infinity) as unknown[]) : [];
  const bad = values.findIndex((value) => typeof value !== 'number' || !Number.isFinite(value));
  if (values.length === 0 || values.length % size !== 0 || bad >= 0) {
    const got = bad >= 0 ? `${JSON.stringify(values[bad])} in row ${Math.floor(bad / size)}` : `${values.length} numbers`;
    throw new SublaceError('DATA_INVALID', `${file}: expected a list of examples of [${inputShape.join(', ')}] finite numbers, got ${got}`);
  }
  return { name: file, count: values.length / size, inputShape: [...inputShape], inputs: Float32Array.from(values as number[]), targets: { kind: 'none' } };
}

/** Chooses the format before any work is done. */
function writerOf(file: string): (predicted: readonly PredictedOutput[]) => void {
  const extension = /\.(json|csv|npy)$/i.exec(file)?.[1]?.toLowerCase();
  if (!extension) throw new SublaceError('INVALID_ARGUMENT', `output: expected a name that ends in .csv, .json or .npy, got '${file}'`);
  return (predicted) => {
    if (extension === 'json') writeWhole(file, `${JSON.stringify(asObject(predicted))}\n`);
    else if (extension === 'csv') writeWhole(file, asCsv(predicted));
    else if (predicted.length === 1) writeWhole(file, writeNpy({ dtype: 'F64', shape: [...predicted[0].shape], data: predicted[0].data }));
    else throw new SublaceError('INVALID_ARGUMENT', `output: expected one output for .npy, got ${predicted.length}; choose one with --outputs`);
  };
}

function writeWhole(file: string, content: string | Uint8Array): void {
  const temporary = `${file}.tmp-${process.pid}`;
  try {
    writeFileSync(temporary, content);
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw new SublaceError('OUTPUT_UNWRITABLE', `output: expected a file that can be written, got '${file}': ${(error as Error).message}`, { cause: error });
  }
}

function asObject(predicted: readonly PredictedOutput[]): Record<string, { shape: readonly number[]; data: number[] }> {
  return Object.fromEntries(predicted.map(({ name, shape, data }) => [name, { shape, data: [...data] }]));
}

/** One row per example; outputs with several numbers per example get numbered columns. */
function asCsv(predicted: readonly PredictedOutput[]): string {
  const widths = predicted.map(({ shape }) => shape[1] ?? 1);
  const header = predicted.flatMap(({ name, shape }, i) => (shape[1] === undefined ? [name] : Array.from({ length: widths[i] }, (_, c) => `${name}_${c}`)));
  const rows = Array.from({ length: predicted[0].shape[0] }, (_, n) =>
    predicted.flatMap(({ data }, i) => [...data.subarray(n * widths[i], (n + 1) * widths[i])]).join(','),
  );
  return `${[header.join(','), ...rows].join('\n')}\n`;
}
