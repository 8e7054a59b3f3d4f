import * as tf from '@tensorflow/tfjs';
import { SublaceError } from '@sublace/errors';
import { LogSoftmax, Softmax } from '../layers/activation.ts';
import { Network, type Node } from '../network.ts';
import { buildLayer } from './build-layer.ts';
import { parseTopology, type LayerSpec } from './topology.ts';
import { WeightTable } from './weights.ts';

/** A tf.js LayersModel in memory. */
export interface ModelFiles {
  /** Content of model.json. */
  readonly modelJson: unknown;
  /** All weight files of its manifest, concatenated in order. */
  readonly weights: Uint8Array;
}

/**
 * Builds the layer graph of a tf.js LayersModel. A softmax or log-softmax at the end is taken off, so that the outputs are logits.
 *
 * @param files  The model.
 * @returns  The network; dispose of it.
 * @throws {SublaceError} MODEL_INVALID or MODEL_UNSUPPORTED, naming the layer, weight or option.
 */
export function loadNetwork({ modelJson, weights }: ModelFiles): Network {
  const topology = parseTopology(modelJson);
  const manifest = (modelJson as { weightsManifest?: { weights: tf.io.WeightsManifestEntry[] }[] }).weightsManifest;
  if (!Array.isArray(manifest))
    throw new SublaceError('MODEL_INVALID', 'model.json: expected a weightsManifest, got none; save the model with its weights');
  const table = new WeightTable(
    manifest.flatMap((group) => group.weights),
    weights,
  );

  try {
    const { nodes, inputShape } = buildNodes(topology.layers, table);
    const trimmed = trimSoftmax(upTo(nodes, topology.outputLayer));
    return new Network({ ...trimmed, inputShape, tensors: table.tensors });
  } catch (error) {
    tf.dispose(table.tensors);
    throw error;
  }
}

function buildNodes(layers: readonly LayerSpec[], table: WeightTable): { nodes: Node[]; inputShape: number[] } {
  const nodes: Node[] = [];
  const outputOf = new Map<string, number>();
  let inputShape: number[] | undefined;
  const remaining = [...layers];
  while (remaining.length > 0) {
    // Files usually list layers in graph order, but need not.
    const next = remaining.findIndex((layer) => layer.inputs.every((input) => outputOf.has(input)));
    if (next < 0)
      throw new SublaceError(
        'MODEL_INVALID',
        `layer '${remaining[0].name}': its inputs ${remaining[0].inputs.join(', ')} are not layers of the model`,
      );
    const [spec] = remaining.splice(next, 1);
    if (spec.inputs.length === 0) {
      if (inputShape)
        throw new SublaceError(
          'MODEL_UNSUPPORTED',
          `expected one input, got a second: '${spec.name}'; several inputs are not supported yet`,
        );
      inputShape = inputShapeOf(spec);
    }
    let inputs = spec.inputs.length === 0 ? [-1] : spec.inputs.map((input) => outputOf.get(input) ?? -1);
    if (spec.className !== 'InputLayer') {
      for (const layer of buildLayer(spec, table)) {
        nodes.push({ layer, inputs });
        inputs = [nodes.length - 1];
      }
    }
    outputOf.set(spec.name, inputs[0]);
  }
  if (!inputShape || nodes.length === 0) throw new SublaceError('MODEL_INVALID', 'model.json: expected an input and at least one layer');
  return { nodes, inputShape };
}

function inputShapeOf({ name, config }: LayerSpec): number[] {
  const shape = config['batch_input_shape'] ?? config['batch_shape'];
  if (!Array.isArray(shape))
    throw new SublaceError('MODEL_INVALID', `layer '${name}': expected batch_input_shape, got none; the model must state its input shape`);
  const example = shape.slice(1) as (number | null)[];
  if (example.some((extent) => extent === null))
    throw new SublaceError('MODEL_UNSUPPORTED', `layer '${name}': expected a fixed input shape, got [${example.join(', ')}]`);
  return example as number[];
}

/** Nodes up to the output layer's last one. A layer's activation node directly follows it. */
function upTo(nodes: readonly Node[], outputLayer: string): Node[] {
  const last = nodes.findLastIndex(({ layer }) => layer.name === outputLayer || layer.name === `${outputLayer}/activation`);
  return nodes.slice(0, last + 1);
}

function trimSoftmax(nodes: Node[]): { nodes: Node[]; outputActivation: string } {
  const { layer, inputs } = nodes[nodes.length - 1];
  const isSoftmax = layer instanceof Softmax || layer instanceof LogSoftmax;
  if (!isSoftmax || inputs[0] !== nodes.length - 2) return { nodes, outputActivation: 'linear' };
  return { nodes: nodes.slice(0, -1), outputActivation: 'softmax' };
}
