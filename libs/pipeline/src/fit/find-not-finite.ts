import { identitySeeds, seedRows, type CurvatureSeeds } from '@sublace/curvature';
import { SublaceError } from '@sublace/errors';
import { Rows, type Network, type ParameterEntry, type Tape } from '@sublace/network';
import * as tf from '@tensorflow/tfjs';
import { forEachBatch } from '../batches.ts';
import { targetsOf, type PreparedData } from '../prepared-data.ts';

/** Examples that are looked at together before each is looked at alone. */
const SEARCH_BATCH = 32;

/** Which pass over the data gave numbers that are not finite. */
export interface FailedPass {
  readonly network: Network;
  readonly data: PreparedData;
  /** Which part of the data that is, for the message. */
  readonly part: 'training' | 'validation';
  /** What it computed, for the message: `GGN diagonal`. */
  readonly what: string;
  /** First example and number of examples. */
  readonly range: { readonly start: number; readonly count: number };
  /** What seeded it; absent where only Jacobians were formed. */
  readonly curvature?: CurvatureSeeds;
  /** Weights whose Jacobians were formed. */
  readonly entries: readonly ParameterEntry[];
}

/**
 * Names what made a pass over some examples end in NaN or infinity: repeats it with fewer and fewer examples, layer by layer. It costs as much as the
 * pass did, and only runs when that has failed.
 *
 * @param pass  The pass.
 * @returns  The error to throw: NUMERICAL_FAILURE with example, layer and remedy.
 */
export function notFiniteError(pass: FailedPass): SublaceError {
  const { range, what, part } = pass;
  const found = firstBad(pass, range, SEARCH_BATCH);
  const remedy = 'check the scale of the inputs (--normalisation), or remove the example';
  if (found) {
    const row = pass.data.rows?.[found.example] ?? found.example;
    const whose = part === 'training' ? '' : `${part} `;
    return new SublaceError('NUMERICAL_FAILURE', `${whose}example ${row}, layer ${found.where}, got ${found.got}; ${remedy}`);
  }
  const examples = `examples ${range.start} to ${range.start + range.count - 1} of the ${part} part`;
  return new SublaceError(
    'NUMERICAL_FAILURE',
    `${what} of ${examples}: expected finite values, got a sum beyond float32, though each example is finite alone; check the scale of the inputs (--normalisation)`,
  );
}

/** Where an example stops being finite. */
interface Finding {
  readonly example: number;
  /** Layer, or `layer/weight`, and what was expected. */
  readonly where: string;
  readonly got: string;
}

function firstBad(pass: FailedPass, range: FailedPass['range'], batchSize: number): Finding | undefined {
  let found: Finding | undefined;
  forEachBatch(pass.network, pass.data.inputs, range, batchSize, (batch, first) => {
    if (found) return;
    const bad = inspect(pass, batch, first);
    if (!bad) return;
    const count = batch.shape[0];
    found = count === 1 ? { ...bad, example: first } : firstBad(pass, { start: first, count }, 1);
  });
  return found;
}

/** The first layer whose output, or the deepest whose derivative, is not finite for a batch. */
function inspect({ network, data, curvature, entries }: FailedPass, batch: tf.Tensor, first: number): Omit<Finding, 'example'> | undefined {
  const tape = network.record(batch);
  for (const [i, { output }] of tape.layers.entries()) {
    const got = badValue(output);
    if (got !== undefined) return { where: `${network.nodes[i].layer.name}: expected a finite output`, got };
  }
  const count = batch.shape[0];
  const identity = (): Omit<Finding, 'example'> | undefined =>
    badJacobian(network, entries, tape, identitySeeds(count, network.outputCount), new Rows(count, network.outputCount));
  if (!curvature) return identity();
  const { seeds, rows } = seedRows(curvature, tape.outputs, { targets: targetsOf(data, first, count), firstExample: first });
  if (badValue(seeds) !== undefined)
    return { where: `${network.nodes.at(-1)?.layer.name}: expected outputs with a finite curvature`, got: 'others' };
  return badJacobian(network, entries, tape, seeds, rows) ?? identity();
}

function badJacobian(
  network: Network,
  entries: readonly ParameterEntry[],
  tape: Tape,
  seeds: tf.Tensor2D,
  rows: Rows,
): Omit<Finding, 'example'> | undefined {
  let bad: Omit<Finding, 'example'> | undefined;
  network.backpropagate(tape, seeds, rows, new Set(entries.map((entry) => entry.layer)), (visited) => {
    for (const entry of entries) {
      if (bad || entry.layer !== visited.layer.name) continue;
      const got = tf.tidy(() => badValue(visited.squaredJacobian(entry.weight)));
      if (got !== undefined) bad = { where: `${entry.layer}/${entry.weight}: expected a Jacobian with finite squares`, got };
    }
  });
  return bad;
}

/** NaN or an infinity that a tensor holds, as text. */
function badValue(tensor: tf.Tensor): string | undefined {
  const bad = tensor.dataSync().find((value) => !Number.isFinite(value));
  return bad === undefined ? undefined : String(bad);
}
