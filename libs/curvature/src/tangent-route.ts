import * as tf from '@tensorflow/tfjs';
import type { Network, Tape, VisitedLayer } from '@sublace/network';

/** Tangents per row of an example up to which pushing them forward is cheaper than carrying every row's signal back one layer further. */
const TANGENTS_PER_ROW = 1;

/** Columns wanted of one weight. */
export interface WantedColumns {
  readonly layer: string;
  readonly weight: string;
  readonly columns: Int32Array;
}

/**
 * A way to a layer's Jacobian columns without a backward pass down to it: the derivative of its output in the few wanted weights is pushed forward,
 * through layers that nothing else reads, to the next wanted layer, and meets the signal there.
 *
 *   J[s, r] = signal_r . (d output / d w_s)        at the output of the layer where they meet
 *
 * The first layers of a convolutional network have few weights and many positions: a random subnetwork takes a few of their weights, and the backward
 * pass into them is the most expensive part of all.
 */
export interface TangentRoute {
  /** The layer whose columns come this way; the backward pass need not reach it. */
  readonly layer: string;
  /** Nodes after it, to the one where tangents and signal meet. */
  readonly path: readonly number[];
  /** Name of the layer where they meet. */
  readonly meets: string;
}

/**
 * The route for the shallowest wanted layer, where there is one and it pays.
 *
 * @param network  The network.
 * @param wanted  Columns wanted of every weight.
 * @param seedCount  Rows per example.
 * @returns  The route, if any.
 */
export function tangentRoute(network: Network, wanted: readonly WantedColumns[], seedCount: number): TangentRoute | undefined {
  const layers = new Set(wanted.map(({ layer }) => layer));
  const source = network.nodes.findIndex(({ layer }) => layers.has(layer.name));
  if (source < 0 || layers.size < 2) return undefined;
  const { layer } = network.nodes[source];
  const count = wanted.filter((each) => each.layer === layer.name).reduce((sum, { columns }) => sum + columns.length, 0);
  if (!layer.weightTangents || count > TANGENTS_PER_ROW * seedCount || usesOf(network, source) !== 1) return undefined;
  const path: number[] = [];
  for (let at = source; ;) {
    const readers = network.nodes.flatMap(({ inputs }, index) => (inputs.includes(at) ? [index] : []));
    if (readers.length !== 1) return undefined;
    [at] = readers;
    const next = network.nodes[at];
    if (next.inputs.length !== 1 || !next.layer.pushForward || usesOf(network, at) !== 1) return undefined;
    path.push(at);
    if (layers.has(next.layer.name)) return { layer: layer.name, path, meets: next.layer.name };
  }
}

/**
 * Jacobian columns of the route's layer.
 *
 * @param network  The network.
 * @param tape  Its forward pass.
 * @param route  The route.
 * @param columns  Columns wanted of one weight of the route's layer.
 * @param meeting  The layer where tangents and signal meet, as the backward pass visits it.
 * @returns  [columns.length, R]. Owned by the caller.
 */
export function columnsByTangents(
  network: Network,
  tape: Tape,
  route: TangentRoute,
  { layer, weight, columns }: WantedColumns,
  meeting: VisitedLayer,
): tf.Tensor {
  return tf.tidy(() => {
    const source = network.nodes.findIndex((node) => node.layer.name === layer);
    const first = network.nodes[source].layer.weightTangents?.(weight, columns, tape.layers[source]);
    if (!first) throw new Error(`internal: layer '${layer}' has no tangents`);
    return meeting.contract(route.path.reduce((tangents, node) => pushForward(network, tape, node, tangents), first));
  });
}

function pushForward(network: Network, tape: Tape, node: number, tangents: tf.Tensor): tf.Tensor {
  const pushed = network.nodes[node].layer.pushForward?.(tape.layers[node], tangents);
  if (!pushed) throw new Error(`internal: layer '${network.nodes[node].layer.name}' cannot push tangents forward`);
  return pushed;
}

function usesOf(network: Network, node: number): number {
  return network.nodes.filter(({ layer }) => layer === network.nodes[node].layer).length;
}
