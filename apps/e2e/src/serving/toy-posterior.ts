import { join } from 'node:path';
import { readManifestAt } from '@sublace/artifact-store';
import { runSublace } from '../command-line/run-sublace.ts';

/** A small posterior on disk. */
export interface ToyPosterior {
  /** Folder of the artifact, or its `s3://` URI. */
  readonly place: string;
  /** sha256 that its manifest names. */
  readonly digest: string;
}

/** What a toy is made of. */
export interface ToyOptions {
  /** Architecture of its network. Default: `mlp:8x1`, 25 weights. */
  arch?: string;
  /** Weights in its subnetwork. Default: 12. */
  size?: number;
  /** Where to put the posterior: a folder or `s3://BUCKET/PATH`. Default: beside its model. */
  out?: string;
}

/**
 * Fits a one-dimensional regression: input [N, 1], outputs `mean` and `variance` [N, 1]. Another seed is another model and another posterior, whose
 * answers differ from those of this one everywhere.
 *
 * @param folder  Where to put model and posterior, under names of their own.
 * @param seed  Of the data and of the weights.
 * @param options  For a larger one.
 * @returns  The posterior.
 */
export async function fitToyPosterior(folder: string, seed: number, options: ToyOptions = {}): Promise<ToyPosterior> {
  const { arch = 'mlp:8x1', size = 12, out: place = join(folder, `posterior-${seed}`) } = options;
  const data = `toy-1d?count=100&seed=${seed}`;
  const model = join(folder, `model-${seed}`);
  await runToEnd('train', '--data', data, '--arch', arch, '--epochs', '20', '--seed', String(seed), '--out', model);
  const rule = ['--likelihood', 'regression', '--subnetwork', `largest-variance:${size}`, '--workers', '1'];
  await runToEnd('fit', '--model', model, '--data', data, ...rule, '--out', place);
  return { place, digest: String((await readManifestAt(place)).digest) };
}

/**
 * Fits two posteriors that can be told apart by any answer.
 *
 * @param folder  Where to put them.
 * @param options  For larger ones.
 * @returns  Both.
 */
export async function fitTwoToyPosteriors(folder: string, options: ToyOptions = {}): Promise<[ToyPosterior, ToyPosterior]> {
  return Promise.all([fitToyPosterior(folder, 1, options), fitToyPosterior(folder, 2, options)]);
}

async function runToEnd(...args: string[]): Promise<void> {
  const { status, stderr } = await runSublace(args);
  if (status !== 0) throw new Error(`sublace ${args.join(' ')}: expected exit code 0, got ${status}:\n${stderr}`);
}
