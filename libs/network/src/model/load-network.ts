import * as tf from '@tensorflow/tfjs';
import { SublaceError } from '@sublace/errors';
import { Activation, LogSoftmax, Softmax } from '../layers/activation.ts';
import { TfjsLayer } from '../layers/tfjs-layer.ts';
import { Network, type Node } from '../network.ts';
import { buildGraph } from './build-graph.ts';
import { poolEarly } from './pool-early.ts';
import { parseTopology } from './topology.ts';
import { WeightTable } from './weights.ts';

/** A tf.js LayersModel in memory. */
export interface ModelFiles {
  /** Content of model.json. */
  readonly modelJson: unknown;
  /** All weight files of its manifest, concatenated in order. */
  readonly weights: Uint8Array;
}

/**
 * Builds the layer graph of a tf.js LayersModel. A softmax, log-softmax or sigmoid at the end is taken off, so that the outputs are logits.
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
    const { nodes, inputShape } = buildGraph(topology, table);
    const { nodes: trimmed, outputActivation } = trimOutputActivation(nodes);
    return new Network({ nodes: poolEarly(trimmed), outputActivation, inputShape, tensors: table.tensors, notes: notesOn(nodes) });
  } catch (error) {
    tf.dispose(table.tensors);
    throw error;
  }
}

/** One line for each class of layers that tf.js differentiates. */
function notesOn(nodes: readonly Node[]): string[] {
  const names = new Map<string, Set<string>>();
  for (const { layer } of nodes) {
    if (!(layer instanceof TfjsLayer)) continue;
    names.set(layer.className, (names.get(layer.className) ?? new Set<string>()).add(layer.name));
  }
  return [...names].map(
    ([className, layers]) =>
      `${className} (${[...layers].join(', ')}) has no rule of its own and is differentiated by tf.js, one row at a time: right, but slow`,
  );
}

function trimOutputActivation(nodes: readonly Node[]): { nodes: readonly Node[]; outputActivation: string } {
  const { layer, inputs } = nodes[nodes.length - 1];
  const isSoftmax = layer instanceof Softmax || layer instanceof LogSoftmax;
  const isSigmoid = layer instanceof Activation && layer.isSigmoid;
  // All other nodes lead to the activation, so what feeds it comes last.
  if (!(isSoftmax || isSigmoid) || inputs[0] < 0) return { nodes, outputActivation: 'linear' };
  return { nodes: nodes.slice(0, -1), outputActivation: isSoftmax ? 'softmax' : 'sigmoid' };
}
