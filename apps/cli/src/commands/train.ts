import { Command, Option } from 'commander';
import { startBackend } from '@sublace/backend';
import { LIKELIHOOD_KINDS, type LikelihoodKind } from '@sublace/likelihoods';
import { SWAG_FILES, trainModel, type SwagRecord, type TrainedModel, type TrainModelOptions } from '@sublace/pipeline';
import { absoluteDataSpec } from '../absolute-paths.ts';
import { count, defined, LIKELIHOOD_HELP, real } from '../options.ts';
import { checkOutputFolder } from '../output-folder.ts';
import { formatPairs, formatTable } from '../terminal/table.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { runSwag } from './swag.ts';

/** Options as commander delivers them. */
interface TrainFlags {
  readonly data: string;
  readonly arch: string;
  readonly out: string;
  readonly likelihood?: LikelihoodKind;
  readonly noise?: TrainModelOptions['noise'];
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly optimiser?: 'adam' | 'sgd-momentum';
  readonly learningRate?: number;
  readonly schedule?: 'constant' | 'cosine' | 'step';
  readonly weightDecay?: number;
  readonly patience?: number;
  readonly validationFraction: number;
  readonly seed: number;
  readonly threads?: number;
  readonly swag?: number;
}

/** Rows of the learning curve that are shown at most. */
const CURVE_ROWS_MAX = 12;

function score(evaluation: TrainedModel['validation']): string {
  if (!evaluation) return 'none';
  const { nll, accuracy, rmse } = evaluation;
  const second =
    accuracy === undefined ? `RMSE ${(rmse ?? Number.NaN).toFixed(4)} (normalised units)` : `accuracy ${(100 * accuracy).toFixed(2)} %`;
  return `NLL ${nll.toFixed(4)}, ${second}`;
}

function describe(trained: TrainedModel, output: string, swag: SwagRecord | undefined): string {
  const every = Math.ceil(trained.curve.length / CURVE_ROWS_MAX);
  const shown = trained.curve.filter(
    (record, index) => index % every === 0 || index === trained.curve.length - 1 || record.epoch === trained.bestEpoch,
  );
  const isClassification = trained.curve.some((record) => record.validationAccuracy !== undefined);
  const rows = shown.map((record) => {
    const second = isClassification ? record.validationAccuracy : record.validationRmse;
    return [
      record.epoch,
      record.trainingLoss.toFixed(4),
      record.validationNll?.toFixed(4) ?? '-',
      second?.toFixed(4) ?? '-',
      record.learningRate.toExponential(1),
    ];
  });
  const table = formatTable(['epoch', 'training loss', 'validation NLL', isClassification ? 'accuracy' : 'RMSE', 'learning rate'], rows);
  const summary = formatPairs([
    ['parameters', trained.parameterCount.toLocaleString('en')],
    ['training examples', trained.trainingCount.toLocaleString('en')],
    ['weights of epoch', `${trained.bestEpoch}${trained.stoppedEarly ? ' (stopped early)' : ''}`],
    ...(trained.noiseVariance === undefined
      ? []
      : [
          [
            'noise variance',
            `${[trained.noiseVariance]
              .flat()
              .map((value) => value.toPrecision(4))
              .join(', ')} (learned, normalised units)`,
          ] as const,
        ]),
    ['validation', score(trained.validation)],
    ['test', score(trained.test)],
    ['model', output],
    ...(swag ? [['SWAG snapshots', `${swag.options.snapshots}, in ${SWAG_FILES.variances}`] as const] : []),
  ]);
  return `${table}\n\n${summary}`;
}

async function train(flags: TrainFlags, terminal: Terminal): Promise<void> {
  const output = checkOutputFolder(flags.out);
  const data = absoluteDataSpec(flags.data);
  const { epochs, batchSize, optimiser, learningRate, schedule, weightDecay, patience } = flags;
  await startBackend(flags.threads === undefined ? {} : { threads: flags.threads });
  const progress = terminal.progress('training');
  const trained = await trainModel(
    {
      data,
      architecture: flags.arch,
      output,
      validationFraction: flags.validationFraction,
      seed: flags.seed,
      ...(flags.likelihood && { likelihood: flags.likelihood }),
      ...(flags.noise && { noise: flags.noise }),
      training: defined({ epochs, batchSize, optimiser, learningRate, schedule, weightDecay, patience }),
    },
    {
      onProgress({ epoch, epochCount, step, stepsPerEpoch, loss, record }) {
        const validation = record?.validationNll === undefined ? '' : `, validation NLL ${record.validationNll.toFixed(4)}`;
        progress.update(
          (epoch - 1) * stepsPerEpoch + step,
          epochCount * stepsPerEpoch,
          `epoch ${epoch}/${epochCount}, loss ${loss.toFixed(4)}${validation}`,
        );
      },
    },
  ).finally(() => progress.end());
  const swag =
    flags.swag === undefined ? undefined : await runSwag({ model: output, data, snapshots: flags.swag, seed: flags.seed }, terminal);
  terminal.result({ output, ...trained, ...(swag && { swag }) }, () => describe(trained, output, swag));
}

/**
 * `sublace train`: a MAP estimate, saved as a tf.js LayersModel with its normalisation.
 *
 * @param terminal  Makes the terminal once the global options are known.
 * @returns  The command.
 */
export function trainCommand(terminal: () => Terminal): Command {
  return new Command('train')
    .description('train a MAP estimate and save it as a tf.js LayersModel')
    .requiredOption(
      '--data <spec>',
      'data SPEC: a name (mnist, digits, uci-wine:gap:0, ...) or a path, with keys as in train.csv?target=price',
    )
    .requiredOption('--arch <name>', 'mlp:WIDTHxDEPTH, lenet5, resnet-small, resnet18 or transformer:WIDTHxDEPTH[xHEADS]')
    .requiredOption('--out <dir>', 'folder for the model')
    .addOption(new Option('--likelihood <kind>', LIKELIHOOD_HELP).choices(LIKELIHOOD_KINDS))
    .addOption(
      new Option('--noise <how>', 'regression: fitted to the residuals at the end, or learned with the weights').choices([
        'residuals',
        'learned',
        'learned-per-output',
      ]),
    )
    .option('--epochs <count>', 'passes over the data', count())
    .option('--batch-size <count>', 'examples per step', count())
    .addOption(new Option('--optimiser <name>', 'how steps are made').choices(['adam', 'sgd-momentum']))
    .option('--learning-rate <number>', 'largest learning rate of the schedule', real({ min: 0 }))
    .addOption(new Option('--schedule <name>', 'how the learning rate falls').choices(['constant', 'cosine', 'step']))
    .option('--weight-decay <number>', 'Gaussian prior on the kernels, per example', real({ min: 0 }))
    .option('--patience <epochs>', 'stop after this many epochs without a better validation NLL; 0 never stops', count({ min: 0 }))
    .option('--validation-fraction <share>', 'share of the data held out', real({ min: 0, max: 0.9 }), 0.1)
    .option('--seed <number>', 'of initial weights, order and split', count({ min: 0 }), 0)
    .option(
      '--swag <snapshots>',
      `then run SGD on for so many epochs and write ${SWAG_FILES.variances}, as 'sublace swag' does`,
      count({ min: 2 }),
    )
    .option('--threads <count>', 'threads of one operation; default: every core', count())
    .action((flags: TrainFlags) => train(flags, terminal()));
}
