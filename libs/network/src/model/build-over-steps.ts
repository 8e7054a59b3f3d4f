import { SublaceError } from '@sublace/errors';
import type { Layer } from '../layers/layer.ts';
import { OverSteps } from '../layers/over-steps.ts';
import { buildLayer } from './build-layer.ts';
import type { LayerSpec } from './topology.ts';
import type { WeightTable } from './weights.ts';

/** Class of a layer that applies another one at every step of a sequence. */
export const OVER_STEPS_CLASS = 'TimeDistributed';

/**
 * The layer that is applied at every step, under the name of the whole, which its weights have in the file.
 *
 * @param spec  The whole.
 * @returns  The layer inside.
 * @throws {SublaceError} MODEL_INVALID when there is none.
 */
export function innerOf({ name, config, calls }: LayerSpec): LayerSpec {
  const inner = config['layer'] as { class_name?: unknown; config?: Record<string, unknown> } | undefined;
  if (typeof inner?.class_name !== 'string' || !inner.config)
    throw new SublaceError('MODEL_INVALID', `layer '${name}' (${OVER_STEPS_CLASS}): expected a layer inside, got ${JSON.stringify(inner)}`);
  return { name, className: inner.class_name, config: inner.config, calls };
}

/**
 * The nodes of a layer at every step. A dense layer acts on every position anyway.
 *
 * @param inner  The layer inside, of a class with a rule.
 * @param weights  The model's weights.
 * @returns  Nodes, each fed by the one before.
 * @throws {SublaceError} MODEL_UNSUPPORTED or MODEL_INVALID, by name.
 */
export function overSteps(inner: LayerSpec, weights: WeightTable): Layer[] {
  const layers = buildLayer(inner, weights);
  return inner.className === 'Dense' ? layers : layers.map((layer) => new OverSteps(layer));
}
