import type { Matrix } from '../dense-algebra.ts';
import type { NaiveLayer, NaiveMergeLayer } from './layer.ts';

/** A place where a layer is used; the same layer at two nodes is shared. */
export interface NaiveNode {
  readonly layer: NaiveLayer | NaiveMergeLayer;
  /** Positions of the nodes that feed it, which come before it; -1 is the network's first input, -2 its second, and so on. */
  readonly inputs: readonly number[];
}

/** A graph of layers in double precision: the readable twin of a float32 network with the same weights. Its output is its last node. */
export class NaiveNetwork {
  readonly nodes: readonly NaiveNode[];
  /** Distinct layers, in the order of their first use. */
  readonly layers: readonly (NaiveLayer | NaiveMergeLayer)[];
  /** Shape of one example; of several inputs, the sum of their sizes, since they come one after the other in a flat example. */
  readonly inputShape: readonly number[];
  readonly #inputShapes: readonly (readonly number[])[];

  /**
   * A chain of layers.
   *
   * @param inputShape  Shape of one example.
   * @param layers  In order.
   */
  constructor(inputShape: readonly number[], layers: readonly NaiveLayer[]);
  /**
   * Any graph.
   *
   * @param inputShapes  Shape of one example of each input.
   * @param nodes  In order; the last one is the output.
   */
  constructor(inputShapes: readonly (readonly number[])[], nodes: readonly NaiveNode[]);
  constructor(shapes: readonly number[] | readonly (readonly number[])[], parts: readonly NaiveLayer[] | readonly NaiveNode[]) {
    this.#inputShapes = typeof shapes[0] === 'number' ? [shapes as readonly number[]] : (shapes as readonly (readonly number[])[]);
    this.inputShape = this.#inputShapes.length === 1 ? this.#inputShapes[0] : [this.#inputShapes.map(sizeOf).reduce((a, b) => a + b)];
    this.nodes = parts.map((part, i) => ('layer' in part ? part : { layer: part, inputs: [i - 1] }));
    this.layers = [...new Set(this.nodes.map(({ layer }) => layer))];
  }

  /** P. */
  get parameterCount(): number {
    return this.layers.flatMap((layer) => layer.weights).reduce((sum, weight) => sum + weight.values.length, 0);
  }

  /**
   * Outputs of one example.
   *
   * @param input  Flat.
   * @returns  [C]
   */
  forward(input: readonly number[]): number[] {
    return this.#values(input)[this.nodes.length - 1];
  }

  /**
   * Jacobian of one example's outputs in all weights: one backward pass per output. Uses of a shared layer add.
   *
   * @param input  Flat.
   * @returns  [C, P], weights in the order of {@link layers}, each row-major.
   */
  jacobian(input: readonly number[]): Matrix {
    const values = this.#values(input);
    const given = this.#split(input);
    const outputs = values[values.length - 1];
    return outputs.map((_, c) => {
      const signals = values.map((value) => value.map(() => 0));
      signals[signals.length - 1][c] = 1;
      const gradients = new Map(
        this.layers.map((layer) => [layer, layer.weights.flatMap((weight) => weight.values.map(() => 0))] as const),
      );
      for (let i = this.nodes.length - 1; i >= 0; i--) {
        const { layer, inputs } = this.nodes[i];
        const arguments_ = inputs.map((from) => (from < 0 ? given[-1 - from] : values[from]));
        const back = backward(layer, arguments_, signals[i]);
        addTo(gradients.get(layer) as number[], back.weights);
        for (const [k, from] of inputs.entries()) if (from >= 0) addTo(signals[from], back.inputs[k]);
      }
      return [...gradients.values()].flat();
    });
  }

  /**
   * The same network as a tf.js LayersModel.
   *
   * @returns  Content of model.json, and all weights as float32.
   */
  toLayersModel(): { modelJson: unknown; weights: Uint8Array } {
    const isChain = this.#inputShapes.length === 1 && this.nodes.every(({ inputs }, i) => inputs.length === 1 && inputs[0] === i - 1);
    const weights = this.layers.flatMap((layer) => [...layer.weights, ...(layer.constants ?? [])]);
    const manifest = weights.map(({ name, shape }) => ({ name, shape, dtype: 'float32' }));
    const values = Float32Array.from(weights.flatMap((weight) => weight.values));
    return {
      modelJson: {
        format: 'layers-model',
        modelTopology: isChain ? this.#sequential() : this.#functional(),
        weightsManifest: [{ paths: ['weights.bin'], weights: manifest }],
      },
      weights: new Uint8Array(values.buffer),
    };
  }

  #values(input: readonly number[]): number[][] {
    const given = this.#split(input);
    const values: number[][] = [];
    for (const { layer, inputs } of this.nodes) {
      const arguments_ = inputs.map((from) => (from < 0 ? given[-1 - from] : values[from]));
      values.push('merge' in layer ? layer.merge(arguments_) : layer.forward(arguments_[0]));
    }
    return values;
  }

  #split(input: readonly number[]): (readonly number[])[] {
    let start = 0;
    return this.#inputShapes.map((shape) => input.slice(start, (start += sizeOf(shape))));
  }

  #sequential(): object {
    const layers = this.nodes.map(({ layer: { className, config } }, i) => ({
      class_name: className,
      config: i === 0 ? { ...config, batch_input_shape: [null, ...this.#inputShapes[0]] } : config,
    }));
    return { class_name: 'Sequential', config: { name: 'naive', layers } };
  }

  #functional(): object {
    const inputLayers = this.#inputShapes.map((shape, k) => ({
      class_name: 'InputLayer',
      config: { name: `input_${k}`, batch_input_shape: [null, ...shape] },
      name: `input_${k}`,
      inbound_nodes: [],
    }));
    /** [layer, which of its uses, 0] */
    const reference = (from: number): [string, number, number] => {
      if (from < 0) return [`input_${-1 - from}`, 0, 0];
      const { layer } = this.nodes[from];
      return [nameOf(layer), this.nodes.slice(0, from).filter((node) => node.layer === layer).length, 0];
    };
    const layers = this.layers.map((layer) => ({
      class_name: layer.className,
      config: layer.config,
      name: nameOf(layer),
      inbound_nodes: this.nodes.filter((node) => node.layer === layer).map(({ inputs }) => inputs.map((from) => [...reference(from), {}])),
    }));
    return {
      class_name: 'Model',
      config: {
        name: 'naive',
        layers: [...inputLayers, ...layers],
        input_layers: inputLayers.map(({ name }) => [name, 0, 0]),
        output_layers: [reference(this.nodes.length - 1)],
      },
    };
  }
}

function backward(
  layer: NaiveLayer | NaiveMergeLayer,
  inputs: readonly (readonly number[])[],
  g: readonly number[],
): { readonly weights: readonly number[]; readonly inputs: readonly (readonly number[])[] } {
  if ('unmerge' in layer) return layer.unmerge(inputs, g);
  const { weights, input } = layer.backward(inputs[0], g);
  return { weights, inputs: [input] };
}

function addTo(sum: number[], terms: readonly number[]): void {
  for (const [i, term] of terms.entries()) sum[i] += term;
}

function nameOf(layer: NaiveLayer | NaiveMergeLayer): string {
  return String(layer.config['name']);
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}
