import { hasRule } from './build-layer.ts';
import type { LayerSpec, ModelSpec, TensorReference } from './topology.ts';

/** Class of the layer that {@link expandBidirectional} takes apart. */
export const BIDIRECTIONAL_CLASS = 'Bidirectional';

/** What joins both directions, by merge mode. */
const MERGES: Readonly<Record<string, string>> = { concat: 'Concatenate', sum: 'Add', mul: 'Multiply', ave: 'Average' };

type Json = Readonly<Record<string, unknown>>;

/**
 * A bidirectional layer as a model of its parts: a recurrent layer forwards, another one backwards, and what joins their outputs. Weights are called
 * as tf.js and Keras call them, such as `forward_lstm/kernel`.
 *
 * @param spec  The layer.
 * @returns  A model of one input, or nothing where a part has no rule of its own.
 */
export function expandBidirectional({ name, config }: LayerSpec): ModelSpec | undefined {
  const inner = config['layer'] as { class_name: string; config: Json } | undefined;
  const given = config['backward_layer'] as { class_name: string; config: Json } | null | undefined;
  const merge = MERGES[String(config['merge_mode'])];
  if (!inner || merge === undefined || ![inner, given ?? inner].every(({ class_name }) => hasRule(class_name, 1))) return undefined;
  const back = given ?? { class_name: inner.class_name, config: { ...inner.config, go_backwards: inner.config['go_backwards'] !== true } };
  const innerName = String(inner.config['name']);
  const [forwardName, backName] = [`forward_${innerName}`, given ? String(given.config['name']) : `backward_${innerName}`];

  const at = (layer: string): TensorReference => ({ layer: `${name}/${layer}`, call: 0, tensor: 0 });
  const part = (layer: string, className: string, partConfig: Json, inputs: readonly string[]): LayerSpec => ({
    name: `${name}/${layer}`,
    className,
    config: partConfig,
    calls: inputs.length > 0 ? [{ inputs: inputs.map(at), named: {}, options: {} }] : [],
  });
  const isSequence = inner.config['return_sequences'] === true;
  return {
    layers: [
      part('input', 'InputLayer', {}, []),
      part(forwardName, inner.class_name, inner.config, ['input']),
      part(backName, back.class_name, back.config, ['input']),
      ...(isSequence ? [part('reversed', 'ReverseSteps', {}, [backName])] : []),
      part('merged', merge, { axis: -1 }, [forwardName, isSequence ? 'reversed' : backName]),
    ],
    inputs: [at('input')],
    outputs: [at('merged')],
  };
}
