import type { TestRandom } from '../random.ts';
import { float32Normals, type NaiveLayer, type NaiveWeight } from './layer.ts';

/** A layer whose outputs are sums of products of one input and one weight each, plus a bias per channel: dense layers and convolutions. */
export interface ProductsDefinition {
  readonly className: string;
  readonly config: Readonly<Record<string, unknown>> & { readonly name: string };
  /** Name of the kernel within the layer. Default `kernel`. */
  readonly kernelName?: string;
  readonly kernelShape: readonly number[];
  /** Products per output, which the scale of random weights depends on. */
  readonly fanIn: number;
  /** Channels of the output, its last axis: one bias each. 0 for no bias. */
  readonly biasCount: number;
  readonly outputCount: number;
  /** Visits every product once: flat positions in output, kernel and input. */
  readonly visit: (each: (output: number, weight: number, input: number) => void) => void;
}

/**
 * Such a layer with random weights.
 *
 * @param random  Where from.
 * @param definition  What is multiplied with what.
 * @returns  The layer.
 */
export function randomProducts(random: TestRandom, definition: ProductsDefinition): NaiveLayer {
  const { className, config, kernelName = 'kernel', kernelShape, fanIn, biasCount, outputCount, visit } = definition;
  const kernel = float32Normals(random, kernelShape, fanIn);
  const bias = float32Normals(random, [biasCount], 4);
  const weights: NaiveWeight[] = [{ name: `${config.name}/${kernelName}`, shape: kernelShape, values: kernel }];
  if (biasCount > 0) weights.push({ name: `${config.name}/bias`, shape: [biasCount], values: bias });
  return {
    className,
    config: { ...config, activation: 'linear', use_bias: biasCount > 0 },
    weights,
    forward: (x) => {
      const y = Array.from({ length: outputCount }, (_, i) => (biasCount > 0 ? bias[i % biasCount] : 0));
      visit((output, weight, input) => {
        y[output] += x[input] * kernel[weight];
      });
      return y;
    },
    backward: (x, g) => {
      const gradients = new Array<number>(kernel.length + biasCount).fill(0);
      const input = new Array<number>(x.length).fill(0);
      visit((output, weight, position) => {
        gradients[weight] += x[position] * g[output];
        input[position] += kernel[weight] * g[output];
      });
      if (biasCount > 0)
        g.forEach((value, i) => {
          gradients[kernel.length + (i % biasCount)] += value;
        });
      return { weights: gradients, input };
    },
  };
}
