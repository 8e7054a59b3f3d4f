import { createRandom, loadDataset, normaliseInputs } from '@sublace/data';
import type { Network } from '@sublace/network';
import { openModel } from '@sublace/pipeline';
import { restoreLayersModel } from '@sublace/training';
import type * as tf from '@tensorflow/tfjs';
import { PROBLEMS, type ProblemName } from './problems.ts';

/** A problem, ready to compute with. */
export interface OpenProblem {
  readonly title: string;
  readonly network: Network;
  readonly count: number;
  /** [N, ...inputShape] row-major: raw, and in the units of the network. */
  readonly rawInputs: Float32Array;
  readonly inputs: Float32Array;
  /** Multiplications and additions, two flops each, that one example takes: forward, and backward as far as the first layer's outputs. */
  readonly products: { readonly forward: number; readonly backward: number };
}

/**
 * Opens a problem.
 *
 * @param name  Which.
 * @param count  Number of examples.
 * @returns  The problem; there may be fewer examples.
 */
export async function openProblem(name: ProblemName, count: number): Promise<OpenProblem> {
  const problem = PROBLEMS[name];
  const { network, metadata, files } = openModel(problem.model);
  const dataset = await loadDataset(problem.data(count), { split: 'train' });
  const inputs = metadata ? normaliseInputs(dataset.inputs, metadata.normalisation) : dataset.inputs;
  const model = await restoreLayersModel(files as Parameters<typeof restoreLayersModel>[0]);
  const products = productsOf(model);
  model.dispose();
  return { title: problem.title, network, count: dataset.count, rawInputs: dataset.inputs, inputs, products };
}

/** Each weight of a kernel is multiplied once per position of the layer's outputs. */
function productsOf(model: tf.LayersModel): OpenProblem['products'] {
  const perLayer = model.layers.flatMap((layer) => {
    const kernel = layer.weights.find(({ originalName }) => originalName.endsWith('kernel'));
    if (!kernel) return [];
    const positions = (layer.outputShape as (number | null)[]).slice(1, -1).reduce<number>((product, extent) => product * (extent ?? 1), 1);
    return [positions * kernel.shape.reduce<number>((product, extent) => product * (extent ?? 1), 1)];
  });
  const forward = perLayer.reduce((sum, products) => sum + products, 0);
  return { forward, backward: forward - perLayer[0] };
}

/**
 * Weights of kernels, drawn without replacement.
 *
 * @param network  The network.
 * @param size  S.
 * @returns  Flat positions, ascending.
 */
export function drawKernelWeights({ layout }: Network, size: number): Int32Array {
  const kernels = layout.entries.filter(({ kind }) => kind === 'kernel');
  const random = createRandom(1);
  const drawn = new Set<number>();
  while (drawn.size < size) {
    const index = random.integer(layout.size);
    if (kernels.some(({ offset, size: extent }) => index >= offset && index < offset + extent)) drawn.add(index);
  }
  return Int32Array.from(drawn).sort();
}
