import { SublaceError } from '@sublace/errors';
import type { LayerCall, LayerSpec, ModelSpec, TensorReference } from './topology.ts';

/** Class of the layer that {@link expandAttention} takes apart. */
export const ATTENTION_CLASS = 'MultiHeadAttention';

/** Its inputs, in Keras's order. */
const ROLES = ['query', 'value', 'key'] as const;

/**
 * A multi-head attention layer as a model of its parts: three projections, the attention of the heads, and the projection of its output. So each
 * part has the rule of a dense layer, and weights are called as Keras calls them: `query/kernel`, ..., `attention_output/bias`.
 *
 * @param spec  The layer.
 * @returns  A model with the inputs query, value and key.
 * @throws {SublaceError} MODEL_UNSUPPORTED for attention over other axes than the steps of a sequence.
 */
export function expandAttention({ name, config }: LayerSpec): ModelSpec {
  const axes = config['attention_axes'] ?? [1];
  if (JSON.stringify([axes].flat()) !== '[1]')
    throw new SublaceError(
      'MODEL_UNSUPPORTED',
      `layer '${name}' (${ATTENTION_CLASS}): attention_axes: expected [1], got ${JSON.stringify(axes)}`,
    );
  const at = (layer: string): TensorReference => ({ layer: `${name}/${layer}`, call: 0, tensor: 0 });
  const part = (layer: string, className: string, inputs: readonly string[]): LayerSpec => ({
    name: `${name}/${layer}`,
    className,
    config,
    calls: inputs.length > 0 ? [{ inputs: inputs.map(at), named: {}, options: {} }] : [],
  });
  return {
    layers: [
      ...ROLES.map((role) => part(`${role}_input`, 'InputLayer', [])),
      part('query', 'AttentionProjection', ['query_input']),
      part('key', 'AttentionProjection', ['key_input']),
      part('value', 'AttentionProjection', ['value_input']),
      part('attention', 'DotProductAttention', ['query', 'key', 'value']),
      part('attention_output', 'AttentionOutput', ['attention']),
    ],
    inputs: ROLES.map((role) => at(`${role}_input`)),
    outputs: [at('attention_output')],
  };
}

/**
 * What feeds the parts of an attention layer: query, value, and key, which is the value where it is not given.
 *
 * @param spec  The layer.
 * @param call  One of its calls.
 * @returns  The call with exactly these three inputs.
 * @throws {SublaceError} MODEL_INVALID when query or value is missing.
 */
export function attentionCall({ name }: LayerSpec, { inputs, named, options }: LayerCall): LayerCall {
  const { query: givenQuery, value: givenValue, key: givenKey, ...others } = named as Partial<LayerCall['named']>;
  const [query, value, key] = [givenQuery ?? inputs[0], givenValue ?? inputs[1], givenKey ?? inputs[2]];
  if (!query || !value)
    throw new SublaceError(
      'MODEL_INVALID',
      `layer '${name}' (${ATTENTION_CLASS}): expected a query and a value, got ${inputs.length} input`,
    );
  return { inputs: [query, value, key ?? value], named: others as LayerCall['named'], options };
}
