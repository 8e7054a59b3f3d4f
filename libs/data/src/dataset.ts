import { SublaceError } from '@sublace/errors';

/** What belongs to the inputs: class numbers, regression values, answers of yes or no, or nothing. */
export type Targets =
  | { kind: 'labels'; labels: Int32Array; classCount: number }
  /** `values`: [N, width] row-major, raw units. */
  | { kind: 'values'; values: Float32Array; width: number }
  /** `values`: [N, width] row-major, each 0 or 1. */
  | { kind: 'flags'; values: Float32Array; width: number }
  | { kind: 'none' };

/** Examples in a fixed order. Images are [H, W, C], channels last, raw 0..255. */
export interface Dataset {
  name: string;
  /** N. */
  count: number;
  /** Shape of one example. */
  inputShape: number[];
  /** [N, ...inputShape] row-major, raw units. */
  inputs: Float32Array;
  targets: Targets;
}

/** Which part of a data set: the part for training, the part held out, or both in that order. */
export type Split = 'train' | 'test' | 'all';

/**
 * Number of values of one input.
 *
 * @param dataset  Any data set.
 * @returns  The product of its input shape.
 */
export function inputSize({ inputShape }: Dataset): number {
  return inputShape.reduce((product, size) => product * size, 1);
}

/** A source with a part for training and a part held out, each read when asked for. */
export interface SplitSource {
  train: () => Promise<Dataset>;
  test: () => Promise<Dataset>;
}

/**
 * Reads a split; `all` is the training part followed by the test part.
 *
 * @param source  Where the parts come from.
 * @param split  Which.
 * @returns  That part, or both in a row.
 * @throws SublaceError DATA_INVALID when the parts do not fit each other.
 */
export async function readSplit(source: SplitSource, split: Split): Promise<Dataset> {
  if (split === 'train') return source.train();
  if (split === 'test') return source.test();
  const [train, test] = [await source.train(), await source.test()];
  if (train.inputShape.join() !== test.inputShape.join() || train.targets.kind !== test.targets.kind) {
    throw new SublaceError(
      'DATA_INVALID',
      `${train.name}: expected a training and a test part of one shape, got inputs [${train.inputShape.join(', ')}] with ${train.targets.kind} and [${test.inputShape.join(', ')}] with ${test.targets.kind}`,
    );
  }
  return {
    name: train.name,
    count: train.count + test.count,
    inputShape: train.inputShape,
    inputs: concatenateFloats(train.inputs, test.inputs),
    targets: concatenateTargets(train.targets, test.targets),
  };
}

function concatenateTargets(a: Targets, b: Targets): Targets {
  if (a.kind === 'labels' && b.kind === 'labels') {
    const labels = new Int32Array(a.labels.length + b.labels.length);
    labels.set(a.labels);
    labels.set(b.labels, a.labels.length);
    return { kind: 'labels', labels, classCount: Math.max(a.classCount, b.classCount) };
  }
  if ('values' in a && 'values' in b && a.kind === b.kind) return { ...a, values: concatenateFloats(a.values, b.values) };
  return { kind: 'none' };
}

function concatenateFloats(a: Float32Array, b: Float32Array): Float32Array {
  const both = new Float32Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
