import * as tf from '@tensorflow/tfjs';
import { SublaceError } from '@sublace/errors';
import type { Layer, LayerTape } from './layers/layer.ts';
import { nodeSizes } from './node-sizes.ts';
import { ParameterLayout } from './parameter-layout.ts';
import type { Rows } from './rows.ts';
import { VisitedLayer, type LayerUse } from './visited-layer.ts';

/**
 * A place in the graph where a layer is used, with the nodes that feed it; -1 is the network's input. Nodes come after their inputs. A layer at
 * several nodes is shared.
 */
export interface Node {
  readonly layer: Layer;
  readonly inputs: readonly number[];
}

/** A forward pass with what the backward pass needs. */
export interface Tape {
  /** Logits or regression means, [B, C]. */
  readonly outputs: tf.Tensor2D;
  readonly layers: readonly LayerTape[];
  /** Frees every tensor of the pass. */
  dispose(): void;
}

/** What a network is built from. */
export interface NetworkDefinition {
  /** The last one is the output; all others lead to it. */
  readonly nodes: readonly Node[];
  /** Shape of one example. Several inputs come one after the other in one flat vector, in the model's order. */
  readonly inputShape: readonly number[];
  /** The activation that the model ended in. `softmax` and `sigmoid` have been taken off: the outputs are their logits. */
  readonly outputActivation: string;
  /** Every weight tensor, freed with the network. */
  readonly tensors: readonly tf.Tensor[];
  /** What the user should be told once. Default: nothing. */
  readonly notes?: readonly string[];
}

/** A layer graph in inference mode: forward passes, and batched vector-Jacobian products through it. */
export class Network {
  readonly nodes: readonly Node[];
  /** Distinct layers, in layout order. */
  readonly layers: readonly Layer[];
  readonly inputShape: readonly number[];
  readonly outputActivation: string;
  readonly layout: ParameterLayout;
  /** What the user should be told once, one line each: for example layers that are slow. */
  readonly notes: readonly string[];
  /** C: logits or regression means per example. */
  readonly outputCount: number;
  /** Largest and total number of elements that the layers hold for one example, for memory estimates. */
  readonly activationElements: { readonly largest: number; readonly total: number };
  readonly #tensors: readonly tf.Tensor[];

  /**
   * @param definition  Layers and shapes. The network owns the tensors.
   * @throws {SublaceError} MODEL_INVALID when a layer does not accept its input; MODEL_UNSUPPORTED when the output is not one vector.
   */
  constructor(definition: NetworkDefinition) {
    this.nodes = definition.nodes;
    this.layers = [...new Set(this.nodes.map(({ layer }) => layer))];
    this.inputShape = definition.inputShape;
    this.outputActivation = definition.outputActivation;
    this.#tensors = definition.tensors;
    this.notes = definition.notes ?? [];
    this.layout = new ParameterLayout(
      this.layers.flatMap((layer) =>
        layer.weights.map(({ name, kind, value }) => ({
          layer: layer.name,
          className: layer.className,
          weight: name,
          kind,
          shape: value.shape,
        })),
      ),
    );

    const sizes = nodeSizes(this.nodes, this.inputShape);
    const output = sizes[sizes.length - 1].shape;
    if (output.length !== 2) {
      const layer = this.nodes[this.nodes.length - 1].layer.name;
      throw new SublaceError(
        'MODEL_UNSUPPORTED',
        `expected one output vector per example, got shape [${output.slice(1).join(', ')}] from '${layer}'`,
      );
    }
    this.outputCount = output[1];
    const elements = sizes.map((size) => size.elements);
    this.activationElements = { largest: Math.max(...elements), total: elements.reduce((sum, size) => sum + size, 0) };
  }

  /**
   * Logits or regression means.
   *
   * @param inputs  [B, ...inputShape]
   * @returns  [B, C]. Owned by the caller.
   */
  forward(inputs: tf.Tensor): tf.Tensor2D {
    return tf.tidy(() => {
      const values: tf.Tensor[] = [];
      for (const node of this.nodes) values.push(node.layer.forward(node.inputs.map((i) => (i < 0 ? inputs : values[i]))).output);
      return tf.clone(values[values.length - 1]) as tf.Tensor2D;
    });
  }

  /**
   * A forward pass that keeps what {@link backpropagate} needs.
   *
   * @param inputs  [B, ...inputShape]. Must outlive the tape.
   * @returns  The tape; dispose of it.
   */
  record(inputs: tf.Tensor): Tape {
    const layers: LayerTape[] = [];
    const kept = tf.tidy(() => {
      for (const node of this.nodes) layers.push(node.layer.forward(node.inputs.map((i) => (i < 0 ? inputs : layers[i].output))));
      return layers.flatMap((layer) => [layer.output, ...layer.saved]);
    });
    return {
      outputs: layers[layers.length - 1].output as tf.Tensor2D,
      layers,
      dispose: () => {
        tf.dispose(kept.filter((tensor) => tensor !== inputs));
      },
    };
  }

  /**
   * One batched backward pass: all seeds of all examples together. It stops below the shallowest layer that is asked for.
   *
   * @param tape  From {@link record}.
   * @param seeds  Directions in output space, [R, C].
   * @param rows  Which example each seed belongs to.
   * @param wanted  Names of the layers to visit.
   * @param visit  Called once for each wanted layer, deepest first, when the signal has reached every place where it is used. The signals are
   *   freed when it returns.
   */
  backpropagate(tape: Tape, seeds: tf.Tensor2D, rows: Rows, wanted: ReadonlySet<string>, visit: (visited: VisitedLayer) => void): void {
    const isNeeded = this.#reaches(wanted);
    const useCount = this.#useCounts();
    const gradients = new Map<number, tf.Tensor>([[this.nodes.length - 1, tf.clone(seeds)]]);
    const uses = new Map<Layer, LayerUse[]>();
    for (let index = this.nodes.length - 1; index >= 0; index--) {
      const gradient = gradients.get(index);
      if (!gradient) continue;
      gradients.delete(index);
      const { layer, inputs } = this.nodes[index];
      const signal = { gradient, rows };
      const reached = [...(uses.get(layer) ?? []), { tape: tape.layers[index], signal }];
      if (wanted.has(layer.name)) uses.set(layer, reached);
      const isLastUse = reached.length === useCount.get(layer);
      if (wanted.has(layer.name) && isLastUse) visit(new VisitedLayer(layer, reached));
      if (inputs.some((input) => input >= 0 && isNeeded[input])) {
        const backward = tf.tidy(() => layer.backward(tape.layers[index], signal));
        inputs.forEach((input, i) => {
          if (input >= 0 && isNeeded[input]) accumulate(gradients, input, backward[i]);
          else backward[i].dispose();
        });
      }
      if (!wanted.has(layer.name)) gradient.dispose();
      else if (isLastUse) tf.dispose(reached.map((use) => use.signal.gradient));
    }
  }

  /** Frees the weights. */
  dispose(): void {
    tf.dispose([...this.#tensors]);
  }

  /** At how many nodes each layer is. */
  #useCounts(): Map<Layer, number> {
    const counts = new Map<Layer, number>();
    for (const { layer } of this.nodes) counts.set(layer, (counts.get(layer) ?? 0) + 1);
    return counts;
  }

  /** For each node, whether a wanted layer is at or below it. */
  #reaches(wanted: ReadonlySet<string>): boolean[] {
    const reaches: boolean[] = [];
    for (const { layer, inputs } of this.nodes) {
      reaches.push((wanted.has(layer.name) && layer.weights.length > 0) || inputs.some((input) => input >= 0 && reaches[input]));
    }
    return reaches;
  }
}

function accumulate(gradients: Map<number, tf.Tensor>, node: number, gradient: tf.Tensor): void {
  const earlier = gradients.get(node);
  gradients.set(node, earlier ? tf.add(earlier, gradient) : gradient);
  if (earlier) tf.dispose([earlier, gradient]);
}
