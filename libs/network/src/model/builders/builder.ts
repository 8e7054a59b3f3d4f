import type { Layer } from '../../layers/layer.ts';
import type { LayerOptions } from '../layer-options.ts';
import type { WeightTable } from '../weights.ts';

/** From a layer's description to the nodes that compute it, each fed by the one before. */
export type Builder = (name: string, options: LayerOptions, weights: WeightTable) => Layer[];

/** Builders of a family of layers, by tf.js class. */
export type Builders = Readonly<Record<string, Builder>>;
