import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { benchFolder } from '../numerics/problems/folders.ts';
import { sublace } from '../sublace.ts';

/** What the bench needs to know of a posterior to ask for predictions. */
export interface BenchPosterior {
  /** Its folder. */
  readonly place: string;
  /** Shape of one input. */
  readonly inputShape: readonly number[];
  /** S. */
  readonly subnetworkSize: number;
  readonly likelihood: string;
  readonly parameterCount: number;
  readonly digest: string;
  /** Data SPEC of the fit. */
  readonly data: string;
}

/**
 * Weights of the subnetwork that the targets speak of, by the rule that predicts best (README). The largest variances of this network are those of weights that no input reaches: their
 * Jacobian is zero, and predictions with them are the MAP's.
 */
const [RULE, SUBNETWORK_SIZE] = ['gradient-energy', 1000];

/**
 * A posterior to serve: the one given, else LeNet-5 on MNIST (or built-in digits) with S = 1,000, fitted once and kept with the models of the benches.
 *
 * @param given  Folder.
 * @returns  Facts from its manifest.
 */
export async function benchPosterior(given: string | undefined): Promise<BenchPosterior> {
  const place = given ?? benchFolder('serving', `lenet5-${RULE}-${SUBNETWORK_SIZE}`);
  if (given === undefined && !existsSync(join(place, 'manifest.json'))) await fitLeNet(place);
  const { digest, model, likelihood, subnetwork, data } = JSON.parse(readFileSync(join(place, 'manifest.json'), 'utf8')) as {
    digest: string;
    model: { inputShape: number[]; parameterCount: number };
    likelihood: string;
    subnetwork: { size: number };
    data: { spec: string };
  };
  return {
    place,
    digest,
    likelihood,
    data: data.spec,
    inputShape: model.inputShape,
    parameterCount: model.parameterCount,
    subnetworkSize: subnetwork.size,
  };
}

async function fitLeNet(place: string): Promise<void> {
  // Opening the list looks for data sets, which nothing else here needs.
  const { PROBLEMS } = await import('../numerics/problems/problems.ts');
  const { model, data, prepare } = PROBLEMS.lenet5;
  prepare();
  mkdirSync(dirname(place), { recursive: true });
  console.log(`fitting LeNet-5, ${RULE}:${SUBNETWORK_SIZE}, for this and later runs`);
  const options = ['--subnetwork', `${RULE}:${SUBNETWORK_SIZE}`, '--out', place];
  sublace('fit', '--model', model, '--data', data(60_000), ...options);
}

/** Share of the eigenvectors that the truncated path keeps. */
const TRUNCATED_SHARE = 0.5;

/** A posterior that can be served by the truncated covariance. */
export interface TruncatedPosterior {
  readonly place: string;
  readonly rank: number;
  /** Measured on held-out inputs: largest share by which a variance is too large, largest error of a probability. */
  readonly errors: { readonly variance: number; readonly probability: number };
}

/**
 * The same posterior with its leading eigenvectors, made once.
 *
 * @param posterior  The posterior.
 * @returns  Its copy, and what the truncation loses.
 */
export function truncatedPosterior({ place, digest, subnetworkSize, data }: BenchPosterior): TruncatedPosterior {
  const copy = benchFolder('serving', `${basename(place)}-${digest.slice(0, 12)}-truncated`);
  if (!existsSync(join(copy, 'manifest.json'))) {
    mkdirSync(dirname(copy), { recursive: true });
    const rank = Math.ceil(TRUNCATED_SHARE * subnetworkSize);
    sublace('truncate', '--posterior', place, '--data', data, '--rank', String(rank), '--out', copy);
  }
  const { truncation } = JSON.parse(readFileSync(join(copy, 'manifest.json'), 'utf8')) as {
    truncation: { rank: number; varianceError: { max: number }; probabilityError?: { max: number } };
  };
  const errors = { variance: truncation.varianceError.max, probability: truncation.probabilityError?.max ?? 0 };
  return { place: copy, rank: truncation.rank, errors };
}
