import { extname } from 'node:path';
import { startBackend } from '@sublace/backend';
import { SublaceError } from '@sublace/errors';
import { openPosterior, type CovariancePath } from '@sublace/pipeline';
import { LINKS, type Link } from '@sublace/predictive';
import { Command, Option } from 'commander';
import { count, real } from '../options.ts';
import { readInputs } from '../predict/read-inputs.ts';
import { OUTPUT_KINDS, toRows, writeOutputs } from '../predict/write-outputs.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** Options as commander delivers them. */
interface PredictFlags {
  readonly posterior: string;
  readonly input: string;
  readonly output?: string;
  readonly outputs?: string;
  readonly link?: Link;
  readonly samples?: number;
  readonly seed?: number;
  readonly temperature?: number;
  readonly covariance: CovariancePath;
}

async function predict({ posterior, input, output, outputs, covariance, ...knobs }: PredictFlags, terminal: Terminal): Promise<void> {
  if (output !== undefined && !OUTPUT_KINDS.includes(extname(output))) {
    throw new SublaceError('USAGE', `--output: expected a file ending in ${OUTPUT_KINDS.join(', ')}, got '${output}'`);
  }
  await startBackend();
  const fitted = await openPosterior(posterior, { covariance });
  const { inputs, count: rowCount } = await readInputs(input, fitted.inputShape);
  const predicted = fitted.predict(inputs, rowCount, { ...knobs, ...(outputs !== undefined && { outputs: outputs.split(',') }) });
  fitted.dispose();
  if (output === undefined) {
    const rows = toRows(predicted);
    terminal.result(rows, () => rows.map((row) => JSON.stringify(row)).join('\n'));
    return;
  }
  writeOutputs(output, predicted);
  const names = predicted.map(({ name }) => name);
  terminal.result({ output, count: rowCount, outputs: names }, () => `${output}: ${names.join(', ')} of ${rowCount} inputs`);
}

/**
 * `sublace predict`: predictions with their uncertainty for the inputs in a file.
 *
 * @param terminal  Makes the terminal once the global options are known.
 * @returns  The command.
 */
export function predictCommand(terminal: () => Terminal): Command {
  return new Command('predict')
    .description('predict for the inputs in a file, with uncertainty')
    .requiredOption('--posterior <place>', 'folder of the posterior, or s3://BUCKET/PATH')
    .requiredOption('--input <file>', 'inputs in raw units: .npy, .csv without targets, .json with nested lists, or a data SPEC')
    .option('--output <file>', `${OUTPUT_KINDS.join(', ')} (default: one JSON object per line on standard output)`)
    .option(
      '--outputs <names>',
      'comma-separated: probabilities, logit_variance, entropy, logits, map_probabilities, mutual_information, logit_covariance, or mean, variance, noise_variance, std; also joint_covariance between all inputs, samples of the function (default: probabilities,logit_variance,entropy or mean,variance)',
    )
    .addOption(new Option('--link <link>', 'from logits to probabilities').choices(LINKS))
    .option('--samples <count>', 'draws of the monte-carlo link, of mutual_information or of the output samples', count())
    .option('--seed <seed>', 'seed of any of them', count({ min: 0 }))
    .option('--temperature <number>', 'divides the logits before they become probabilities', real({ min: 1e-6 }))
    .addOption(
      new Option('--covariance <path>', 'of the weights: all of it, or the eigenvectors that truncate kept')
        .choices(['exact', 'truncated'])
        .default('exact'),
    )
    .action((flags: PredictFlags) => predict(flags, terminal()));
}
