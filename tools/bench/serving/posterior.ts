import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
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
}

/** Weights of the subnetwork that the targets speak of. */
const SUBNETWORK_SIZE = 1000;

/**
 * A posterior to serve: the one given, else LeNet-5 on MNIST (or built-in digits) with S = 1,000, fitted once and kept with the models of the benches.
 *
 * @param given  Folder.
 * @returns  Facts from its manifest.
 */
export async function benchPosterior(given: string | undefined): Promise<BenchPosterior> {
  const place = given ?? benchFolder('serving', `lenet5-s${SUBNETWORK_SIZE}`);
  if (given === undefined && !existsSync(join(place, 'manifest.json'))) await fitLeNet(place);
  const { model, likelihood, subnetwork } = JSON.parse(readFileSync(join(place, 'manifest.json'), 'utf8')) as {
    model: { inputShape: number[]; parameterCount: number };
    likelihood: string;
    subnetwork: { size: number };
  };
  return { place, likelihood, inputShape: model.inputShape, parameterCount: model.parameterCount, subnetworkSize: subnetwork.size };
}

async function fitLeNet(place: string): Promise<void> {
  // Opening the list looks for data sets, which nothing else here needs.
  const { PROBLEMS } = await import('../numerics/problems/problems.ts');
  const { model, data, prepare } = PROBLEMS.lenet5;
  prepare();
  console.log(`fitting LeNet-5, S = ${SUBNETWORK_SIZE}, for this and later runs`);
  const options = ['--subnetwork', `largest-variance:${SUBNETWORK_SIZE}`, '--out', place];
  sublace('fit', '--model', model, '--data', data(60_000), ...options);
}
