import { findDataset } from '@sublace/data';
import { sublace } from '../../sublace.ts';
import { benchFolder, hasModel } from './folders.ts';
import type { Problem } from './problem.ts';

/**
 * A network that the command line trains on MNIST, or where that is not there on the built-in digits.
 *
 * @param name  Of the network, in print.
 * @param architecture  As for `--arch`.
 * @param options  How to train.
 * @param options.examples  Training examples; default all.
 * @param options.epochs  Default: the architecture's.
 * @returns  The problem.
 */
export function trainedOnDigits(
  name: string,
  architecture: string,
  { examples, epochs }: { readonly examples?: number; readonly epochs?: number } = {},
): Problem {
  const hasMnist = findDataset('mnist') !== undefined;
  const source = hasMnist ? 'mnist' : 'digits';
  const limited = (count: number): string => (hasMnist ? `mnist?limit=${count}` : `digits?count=${count}`);
  const model = benchFolder('models', `${architecture.replaceAll(':', '-')}-${source}`);
  return {
    title: `${name}, ${hasMnist ? 'MNIST' : 'built-in digits'}, trained`,
    model,
    data: limited,
    prepare() {
      if (hasModel(model)) return;
      const data = examples === undefined ? source : limited(examples);
      const { test } = sublace<{ test?: { accuracy: number } }>(
        'train',
        ...['--data', data, '--arch', architecture, '--out', model, ...(epochs === undefined ? [] : ['--epochs', String(epochs)])],
      );
      console.log(`trained ${architecture} on ${data}: test accuracy ${test ? (100 * test.accuracy).toFixed(1) : '-'} %`);
    },
  };
}
