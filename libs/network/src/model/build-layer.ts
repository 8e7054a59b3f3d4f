import type { Layer } from '../layers/layer.ts';
import { ReverseSteps } from '../layers/reverse-steps.ts';
import { ACTIVATION_BUILDERS } from './builders/activation.ts';
import { ATTENTION_BUILDERS } from './builders/attention.ts';
import type { Builders } from './builders/builder.ts';
import { CONVOLUTION_BUILDERS } from './builders/convolution.ts';
import { DENSE_BUILDERS } from './builders/dense.ts';
import { EMBEDDING_BUILDERS } from './builders/embedding.ts';
import { MERGE_BUILDERS } from './builders/merge.ts';
import { NORMALISATION_BUILDERS } from './builders/normalisation.ts';
import { POOLING_BUILDERS } from './builders/pooling.ts';
import { RECURRENT_BUILDERS } from './builders/recurrent.ts';
import { SHAPE_BUILDERS } from './builders/shape.ts';
import { ATTENTION_CLASS } from './expand-attention.ts';
import { layerOptions } from './layer-options.ts';
import type { LayerSpec } from './topology.ts';
import type { WeightTable } from './weights.ts';

const LISTED: Builders = {
  ...DENSE_BUILDERS,
  ...EMBEDDING_BUILDERS,
  ...CONVOLUTION_BUILDERS,
  ...NORMALISATION_BUILDERS,
  ...POOLING_BUILDERS,
  ...SHAPE_BUILDERS,
  ...MERGE_BUILDERS,
  ...ACTIVATION_BUILDERS,
  ...RECURRENT_BUILDERS,
};

const BUILDERS: Builders = { ...LISTED, ...ATTENTION_BUILDERS, ReverseSteps: (name) => [new ReverseSteps(name)] };

/** Classes of layers that have a rule of their own, for messages and documentation. */
export const SUPPORTED_LAYERS: readonly string[] = [
  'InputLayer',
  ATTENTION_CLASS,
  'TimeDistributed',
  'Bidirectional',
  ...Object.keys(LISTED),
];

/**
 * Whether a layer has a rule of its own here. Recurrent layers that are given their first state have none.
 *
 * @param className  A tf.js class.
 * @param inputCount  How many inputs the layer has.
 * @returns  Whether {@link buildLayer} takes it.
 */
export function hasRule(className: string, inputCount: number): boolean {
  return Object.hasOwn(BUILDERS, className) && (inputCount === 1 || !Object.hasOwn(RECURRENT_BUILDERS, className));
}

/**
 * The nodes that compute one layer of a model file; a layer with an activation becomes two.
 *
 * @param spec  The layer, of a class with a rule.
 * @param weights  The model's weights.
 * @returns  Nodes, each fed by the one before.
 * @throws {SublaceError} MODEL_UNSUPPORTED for an option without a rule, by name; MODEL_INVALID for missing weights.
 */
export function buildLayer(spec: LayerSpec, weights: WeightTable): Layer[] {
  return BUILDERS[spec.className](spec.name, layerOptions(spec), weights);
}
