import { Activation } from '../layers/activation.ts';
import { Conv2D } from '../layers/conv2d.ts';
import { PooledConv2D } from '../layers/pooled-conv2d.ts';
import { MaxPooling2D } from '../layers/pooling.ts';
import type { Node } from '../network.ts';

/**
 * The same network with less work: max pooling goes before an activation that never falls, since the largest value stays the largest, so that
 * the activation sees a quarter of the positions; and a convolution whose outputs go straight into max pooling becomes one layer with it.
 *
 * @param nodes  Each after its inputs.
 * @returns  Nodes that compute the same outputs, with the same weights.
 */
export function poolEarly(nodes: readonly Node[]): Node[] {
  return joinConvolutions(swapActivations(nodes));
}

function swapActivations(nodes: readonly Node[]): Node[] {
  const isUsedOnce = onceUsed(nodes);
  const result = [...nodes];
  for (const [index, { layer, inputs }] of nodes.entries()) {
    const before = inputs[0];
    if (!(layer instanceof MaxPooling2D) || before < 0 || !isUsedOnce(before)) continue;
    const activation = nodes[before].layer;
    if (!(activation instanceof Activation) || !activation.isNonDecreasing) continue;
    result[before] = { layer, inputs: nodes[before].inputs };
    result[index] = { layer: activation, inputs: [before] };
  }
  return result;
}

function joinConvolutions(nodes: readonly Node[]): Node[] {
  const isUsedOnce = onceUsed(nodes);
  const result: Node[] = [];
  const position = new Map<number, number>([[-1, -1]]);
  for (const [index, { layer, inputs }] of nodes.entries()) {
    const before = inputs[0];
    const convolution = before >= 0 && isUsedOnce(before) ? nodes[before].layer : undefined;
    const at = inputs.map((input) => position.get(input) as number);
    if (layer instanceof MaxPooling2D && convolution instanceof Conv2D) {
      const joined = new PooledConv2D(convolution, layer);
      result[at[0]] = { layer: joined, inputs: result[at[0]].inputs };
      position.set(index, at[0]);
    } else {
      position.set(index, result.length);
      result.push({ layer, inputs: at });
    }
  }
  return result;
}

/** Whether one node alone reads a node, and its layer is at no other node. */
function onceUsed(nodes: readonly Node[]): (index: number) => boolean {
  const readers = nodes.map(() => 0);
  for (const input of nodes.flatMap((node) => node.inputs)) if (input >= 0) readers[input]++;
  return (index) => readers[index] === 1 && nodes.filter(({ layer }) => layer === nodes[index].layer).length === 1;
}
