import { resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { isS3Uri, localArtifact } from '@sublace/artifact-store';
import { SublaceError } from '@sublace/errors';
import { LIKELIHOOD_KINDS } from '@sublace/likelihoods';
import { compileFitSpec, continuedFitSpec, readPosteriorManifest, type FitSpec } from '@sublace/pipeline';
import { absoluteDataSpec, absolutePlace, absoluteRule } from '../absolute-paths.ts';
import { bounds, count, fileOr, LIKELIHOOD_HELP, numberOr, real } from '../options.ts';

/** What a fit computes, as commander delivers it: {@link addFitOptions}, and `--continue` and `--overwrite` where a command has them. */
export interface FitFlags {
  readonly model?: string;
  readonly data: string;
  readonly subnetwork?: string;
  readonly continue?: string;
  readonly likelihood: FitSpec['likelihood'];
  readonly validation: string;
  readonly candidates: FitSpec['candidates'];
  readonly keepDead?: boolean;
  readonly priorPrecision?: FitSpec['priorPrecision'];
  readonly priorStructure: FitSpec['priorStructure'];
  readonly priorMean: FitSpec['priorMean'];
  readonly priorBounds: FitSpec['priorBounds'];
  readonly priorPatience: number;
  readonly priorTolerance: number;
  readonly temperature: number;
  readonly rowTolerance: number;
  readonly curvature: string;
  readonly noiseVariance: FitSpec['noiseVariance'];
  readonly tuneNoise?: boolean;
  readonly normalisation: FitSpec['normalisation'];
  readonly seed: number;
  readonly factorise: FitSpec['factorise'];
  readonly shardSize: number;
  readonly overwrite?: boolean;
}

/** Options that a continued fit takes from its posterior. */
const INHERITED = ['subnetwork', 'likelihood', 'candidates', 'keepDead', 'priorMean', 'temperature', 'curvature', 'noiseVariance', 'normalisation']; // prettier-ignore

/** One number, or one per output. */
function noiseVariance(text: string): FitSpec['noiseVariance'] {
  const parse = numberOr('auto', 'fit', 'fit-per-output');
  if (!text.includes(',')) return parse(text);
  return text.split(',').map(numberOr<never>());
}

function validationOf({ validation, seed }: FitFlags): FitSpec['validation'] {
  if (validation === 'as-trained' || validation === 'none') return validation;
  const fraction = Number(validation);
  return fraction > 0 && fraction < 1 ? { fraction, seed } : { data: absoluteDataSpec(validation) };
}

/**
 * The spec that the options of a fit ask for. Local folders are made absolute: the processes that read them may run elsewhere.
 *
 * @param flags  Options as commander delivers them.
 * @param output  Folder for the posterior.
 * @returns  The complete spec.
 * @throws {SublaceError} USAGE for an option that is missing, INVALID_ARGUMENT for one that makes no sense.
 */
export async function fitSpecOf(flags: FitFlags, output: string): Promise<FitSpec> {
  const common = {
    data: absoluteDataSpec(flags.data),
    output: absolutePlace(output),
    validation: validationOf(flags),
    ...(flags.priorPrecision !== undefined && { priorPrecision: flags.priorPrecision }),
    priorStructure: flags.priorStructure,
    priorBounds: flags.priorBounds,
    priorPatience: flags.priorPatience,
    priorTolerance: flags.priorTolerance,
    rowTolerance: flags.rowTolerance,
    tuneNoise: flags.tuneNoise === true,
    factorise: flags.factorise,
    shardSize: flags.shardSize,
    overwrite: flags.overwrite === true,
  };
  if (flags.continue !== undefined) {
    const folder = await continuedFolder(flags.continue, (flags as { coordinator?: string }).coordinator);
    const model = flags.model === undefined ? {} : { model: resolve(flags.model) };
    return continuedFitSpec(folder, await readPosteriorManifest(folder), { ...common, ...model });
  }
  return compileFitSpec({
    ...common,
    model: resolve(required(flags.model, '--model <path>')),
    subnetwork: absoluteRule(required(flags.subnetwork, '--subnetwork <rule>')),
    likelihood: flags.likelihood,
    candidates: flags.candidates,
    keepDead: flags.keepDead === true,
    priorMean: flags.priorMean,
    temperature: flags.temperature,
    curvature: flags.curvature,
    noiseVariance: flags.noiseVariance,
    normalisation: flags.normalisation,
    seed: flags.seed,
  });
}

/** The folder of the posterior that is continued; workers read it, so one from a bucket is only downloaded for those on this machine. */
async function continuedFolder(place: string, coordinator: string | undefined): Promise<string> {
  if (isS3Uri(place) && coordinator !== undefined) {
    throw new SublaceError(
      'USAGE',
      `--continue ${place}: expected a folder that the workers of ${coordinator} can read, got a place in a bucket; download it to one`,
    );
  }
  return localArtifact(absolutePlace(place));
}

/** An option that only `--continue` makes superfluous. */
function required(value: string | undefined, option: string): string {
  if (value === undefined) throw new SublaceError('USAGE', `required option '${option}' not specified`);
  return value;
}

/**
 * Adds the options that say what to fit, the same for every command that fits.
 *
 * @param command  The command, changed.
 * @returns  The same command.
 */
export function addFitOptions(command: Command): Command {
  return command
    .option('--model <path>', 'folder with model.json and weights')
    .requiredOption(
      '--data <spec>',
      'training data SPEC: a name (mnist, digits, uci-wine:gap:0, ...) or a path, with keys as in mnist?limit=1000',
    )
    .option(
      '--subnetwork <rule>',
      'random:S, largest-magnitude:S, largest-variance:S, swag-variance:S, gradient-energy:S, last-layer, names:PATTERN or indices:FILE; S,S,... publishes one posterior per size, in folders of --out',
    )
    .addOption(new Option('--likelihood <kind>', LIKELIHOOD_HELP).choices([...LIKELIHOOD_KINDS, 'auto']).default('auto'))
    .option(
      '--prior-precision <value>',
      'a number; auto, validation, widest or evidence; or a file: a vector (.npy, text), or JSON of one number per weight tensor (default: auto; with --continue that of the posterior)',
      fileOr(numberOr('auto', 'validation', 'widest', 'evidence')),
    )
    .addOption(
      new Option('--prior-structure <kind>', 'what shares a tuned prior precision: everything, each weight tensor, or nothing')
        .choices(['scalar', 'layer', 'weight'])
        .default('scalar'),
    )
    .option('--prior-mean <value>', 'a number, or a file; counts in the evidence', fileOr(real()), 0)
    .option('--prior-bounds <min,max>', 'smallest and largest prior precision to choose', bounds, [1e-4, 1e6])
    .option('--prior-patience <rounds>', 'layer, weight: rounds without gain before the search ends', count(), 3)
    .option('--prior-tolerance <nats>', 'widest: what a wide posterior may cost per held-out example', real({ min: 0 }), 0.01)
    .option(
      '--row-tolerance <share>',
      'share of the output Hessians that may be left out of the GGN; 0: none',
      real({ min: 0, max: 0.999 }),
      1e-4,
    )
    .option('--temperature <number>', 'of the posterior', real({ min: 1e-9 }), 1)
    .option('--curvature <kind>', 'ggn (exact), mc-fisher:K (K drawn targets per example) or empirical-fisher', 'ggn')
    .option(
      '--noise-variance <value>',
      'regression: one number, or one per output as 0.1,0.2, in squared target units; fit, fit-per-output (to residuals), or auto',
      noiseVariance,
      'auto',
    )
    .option('--tune-noise', 'regression: find the noise together with the prior precision')
    .option('--validation <what>', 'held-out data: as-trained, none, a share such as 0.1, or a data SPEC', 'as-trained')
    .option(
      '--candidates <kinds>',
      'weights that a scored rule may choose: kernels, all, dense, convolution, attention, embedding, normalisation, bias, or some with commas',
      'kernels',
    )
    .option('--keep-dead', 'let weights be chosen that the data say nothing about')
    .addOption(
      new Option('--normalisation <kind>', 'of inputs, for models without sublace.json')
        .choices(['none', 'unit', 'standard'])
        .default('none'),
    )
    .option('--seed <number>', 'of random choices', count({ min: 0 }), 0)
    .addOption(
      new Option('--factorise <how>', 'the Cholesky factor: by one process, spread over the reducers, or whichever is faster; same bits')
        .choices(['auto', 'one', 'spread'])
        .default('auto'),
    )
    .option('--shard-size <count>', 'examples per shard; 0 lets the planner choose', count({ min: 0 }), 0);
}

/**
 * Adds the options that say what becomes of the posterior, and which one it continues.
 *
 * @param command  The command, changed.
 * @returns  The same command.
 */
export function addOutputOptions(command: Command): Command {
  return command
    .requiredOption('--out <place>', 'folder for the posterior, or s3://BUCKET/PATH?endpoint=...&region=...')
    .addOption(
      new Option('--continue <dir>', 'add these data to a posterior: same model, same weights; it must not have seen them').conflicts(
        INHERITED,
      ),
    )
    .option('--overwrite', 'replace a posterior that is there');
}
