import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { startBackend } from '@sublace/backend';
import { LIKELIHOOD_KINDS } from '@sublace/likelihoods';
import { collectModelSwag, SWAG_FILES, type ModelSwagOptions, type SwagRecord } from '@sublace/pipeline';
import { absoluteDataSpec } from '../absolute-paths.ts';
import { count, defined, LIKELIHOOD_HELP, real } from '../options.ts';
import { formatPairs } from '../terminal/table.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** Options as commander delivers them. */
interface SwagFlags extends Pick<
  ModelSwagOptions,
  'learningRate' | 'momentum' | 'weightDecay' | 'batchSize' | 'likelihood' | 'normalisation'
> {
  readonly model: string;
  readonly data: string;
  readonly snapshots: number;
  readonly seed: number;
  readonly threads?: number;
}

/**
 * Takes snapshots of a saved model, with progress.
 *
 * @param options  What to run on.
 * @param terminal  Where progress is shown.
 * @returns  What was written beside the model.
 */
export async function runSwag(options: ModelSwagOptions, terminal: Terminal): Promise<SwagRecord> {
  const progress = terminal.progress('snapshots');
  return collectModelSwag(options, {
    onProgress({ epoch, epochCount, step, stepsPerEpoch, loss }) {
      progress.update(
        (epoch - 1) * stepsPerEpoch + step,
        epochCount * stepsPerEpoch,
        `epoch ${epoch}/${epochCount}, loss ${loss.toFixed(4)}`,
      );
    },
  }).finally(() => progress.end());
}

async function swag(flags: SwagFlags, terminal: Terminal): Promise<void> {
  const { threads, ...options } = flags;
  await startBackend(threads === undefined ? {} : { threads });
  const model = resolve(flags.model);
  const record = await runSwag({ ...defined(options), model, data: absoluteDataSpec(flags.data) }, terminal);
  terminal.result({ model, ...record }, () =>
    formatPairs([
      ['model', `${model}, digest ${record.modelDigest.slice(0, 16)}`],
      ['snapshots', `${record.options.snapshots}, one per epoch over ${record.exampleCount.toLocaleString('en')} examples`],
      ['learning rate', record.options.learningRate],
      ['weights that did not move', record.unmovedCount.toLocaleString('en')],
      ['variances', `${SWAG_FILES.variances}, sha256 ${record.files[0].sha256}`],
      ['next', `sublace fit --model ${flags.model} --data ${flags.data} --subnetwork swag-variance:S --out DIR`],
    ]),
  );
}

/**
 * `sublace swag`: variances of a trained model's weights over SGD snapshots, for the rule `swag-variance`.
 *
 * @param terminal  Makes the terminal once the global options are known.
 * @returns  The command.
 */
export function swagCommand(terminal: () => Terminal): Command {
  return new Command('swag')
    .description('run SGD on from a trained model and keep how much each weight moves, for --subnetwork swag-variance:S')
    .requiredOption('--model <path>', `folder with model.json and weights; ${SWAG_FILES.variances} is written into it`)
    .requiredOption('--data <spec>', 'the training data SPEC, as for fit')
    .option('--snapshots <count>', 'epochs, one snapshot each; every one costs what an epoch of training does', count({ min: 2 }), 40)
    .option('--learning-rate <number>', 'constant; large enough that the weights move around the optimum; default 0.01', real({ min: 0 }))
    .option('--momentum <number>', 'default 0.9', real({ min: 0, max: 1 }))
    .option('--weight-decay <number>', 'default: that of the training, else 3e-4', real({ min: 0 }))
    .option('--batch-size <count>', 'examples per step; default: that of the training, else 128', count())
    .addOption(new Option('--likelihood <kind>', LIKELIHOOD_HELP).choices(LIKELIHOOD_KINDS))
    .addOption(new Option('--normalisation <kind>', 'of inputs, for models without sublace.json').choices(['none', 'unit', 'standard']))
    .option('--seed <number>', 'of the order of examples', count({ min: 0 }), 0)
    .option('--threads <count>', 'threads of one operation; default: every core', count())
    .action((flags: SwagFlags) => swag(flags, terminal()));
}
