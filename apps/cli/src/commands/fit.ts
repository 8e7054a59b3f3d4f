import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { checkWritable } from '@sublace/artifact-store';
import { SublaceError } from '@sublace/errors';
import { LIKELIHOOD_KINDS } from '@sublace/likelihoods';
import { compileFitSpec, continuedFitSpec, POSTERIOR_KIND, readPosteriorManifest, SEQUENCE_KIND, type FitSpec } from '@sublace/pipeline';
import type { PhaseReport } from '@sublace/protocol';
import { absoluteDataSpec, absoluteRule } from '../absolute-paths.ts';
import { dryRun } from '../fit/dry-run.ts';
import { runFit } from '../fit/run-fit.ts';
import { bounds, count, fileOr, LIKELIHOOD_HELP, numberOr, real } from '../options.ts';
import { describePosterior } from '../posterior-report.ts';
import { formatTable } from '../terminal/table.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** Options as commander delivers them. */
interface FitFlags {
  readonly model?: string;
  readonly data: string;
  readonly subnetwork?: string;
  readonly continue?: string;
  readonly out: string;
  readonly likelihood: FitSpec['likelihood'];
  readonly validation: FitSpec['validation'];
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
  readonly shardSize: number;
  readonly overwrite?: boolean;
  readonly workers: number;
  readonly threads: number;
  readonly coordinator?: string;
  readonly dryRun?: boolean;
}

/**
 * One thread per worker whatever the number of workers: the bits of a matrix product may depend on the threads that computed it, and the same
 * fit should give the same posterior with one worker or eight.
 */
const THREADS_DEFAULT = 1;
/** Options that a continued fit takes from its posterior. */
const INHERITED = ['subnetwork', 'likelihood', 'candidates', 'keepDead', 'priorMean', 'temperature', 'curvature', 'noiseVariance', 'normalisation']; // prettier-ignore
const WORKERS_DEFAULT = Math.min(4, availableParallelism());

/** One number, or one per output. */
function noiseVariance(text: string): FitSpec['noiseVariance'] {
  const parse = numberOr('auto', 'fit', 'fit-per-output');
  if (!text.includes(',')) return parse(text);
  return text.split(',').map(numberOr<never>());
}

function validationOf(text: string, seed: number): FitSpec['validation'] {
  if (text === 'as-trained' || text === 'none') return text;
  const fraction = Number(text);
  return fraction > 0 && fraction < 1 ? { fraction, seed } : { data: absoluteDataSpec(text) };
}

/** Local folders are made absolute: the processes that read them may run elsewhere. */
async function specOf(flags: FitFlags): Promise<FitSpec> {
  const common = {
    data: absoluteDataSpec(flags.data),
    output: resolve(flags.out),
    validation: flags.validation,
    ...(flags.priorPrecision !== undefined && { priorPrecision: flags.priorPrecision }),
    priorStructure: flags.priorStructure,
    priorBounds: flags.priorBounds,
    priorPatience: flags.priorPatience,
    priorTolerance: flags.priorTolerance,
    rowTolerance: flags.rowTolerance,
    tuneNoise: flags.tuneNoise === true,
    shardSize: flags.shardSize,
    overwrite: flags.overwrite === true,
  };
  if (flags.continue !== undefined) {
    const folder = resolve(flags.continue);
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

/** An option that only `--continue` makes superfluous. */
function required(value: string | undefined, option: string): string {
  if (value === undefined) throw new SublaceError('USAGE', `required option '${option}' not specified`);
  return value;
}

function phaseTable(phases: readonly PhaseReport[]): string {
  const rows = phases.map(({ phase, seconds, shardCount, bytesPulled, reduceSeconds }) => {
    return [phase, shardCount, seconds.toFixed(2), (bytesPulled / 1e6).toFixed(1), reduceSeconds.toFixed(2)];
  });
  return formatTable(['phase', 'tasks', 'seconds', 'MB moved', 'summing, s'], rows);
}

async function fit(flags: FitFlags, terminal: Terminal): Promise<void> {
  const spec = await specOf(flags);
  await checkWritable(spec.output, { overwrite: spec.overwrite, kind: [POSTERIOR_KIND, SEQUENCE_KIND] });
  const place =
    flags.coordinator === undefined ? { workerCount: flags.workers, threads: flags.threads } : { coordinator: flags.coordinator };
  if (flags.dryRun === true) {
    await dryRun(spec, place, terminal);
    return;
  }
  const { jobId, phases, digest, posteriors } = await runFit(spec, place, terminal);
  const [{ manifest }] = posteriors;
  for (const note of manifest.model.notes ?? []) terminal.note(`model: ${note}`);
  const found = posteriors.length > 1 ? { posteriors } : { manifest };
  terminal.result({ output: spec.output, jobId, digest, phases, ...found }, () => {
    const texts = posteriors.map((each) => `${describePosterior(each.manifest)}\n\nposterior: ${each.folder}`);
    return [...texts, phaseTable(phases)].join('\n\n');
  });
}

/**
 * `sublace fit`: the posterior over a subnetwork, by a coordinator and workers on this machine or by a cluster that is there.
 *
 * @param terminal  Makes the terminal once the global options are known.
 * @returns  The command.
 */
export function fitCommand(terminal: () => Terminal): Command {
  return new Command('fit')
    .description('choose a subnetwork of a trained model and compute its posterior')
    .option('--model <path>', 'folder with model.json and weights')
    .requiredOption(
      '--data <spec>',
      'training data SPEC: a name (mnist, digits, uci-wine:gap:0, ...) or a path, with keys as in mnist?limit=1000',
    )
    .option(
      '--subnetwork <rule>',
      'random:S, largest-magnitude:S, largest-variance:S, swag-variance:S, gradient-energy:S, last-layer, names:PATTERN or indices:FILE; S,S,... publishes one posterior per size, in folders of --out',
    )
    .requiredOption('--out <dir>', 'folder for the posterior')
    .addOption(
      new Option('--continue <dir>', 'add these data to a posterior: same model, same weights; it must not have seen them').conflicts(
        INHERITED,
      ),
    )
    .addOption(new Option('--likelihood <kind>', LIKELIHOOD_HELP).choices([...LIKELIHOOD_KINDS, 'auto']).default('auto'))
    .option('--workers <count>', 'worker processes', count({ min: 1, max: 256 }), WORKERS_DEFAULT)
    .option('--threads <count>', 'threads of one operation in each worker', count(), THREADS_DEFAULT)
    .option('--coordinator <address>', 'HOST:PORT of a coordinator that runs already, instead of starting one; SUBLACE_TOKEN: its token')
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
    .option('--shard-size <count>', 'examples per shard; 0 lets the planner choose', count({ min: 0 }), 0)
    .option('--overwrite', 'replace a posterior that is there')
    .option('--dry-run', 'print the plan with estimated time and memory, measured with a few examples, and stop')
    .action((flags: Omit<FitFlags, 'validation'> & { validation: string }) =>
      fit({ ...flags, validation: validationOf(flags.validation, flags.seed) }, terminal()),
    );
}
