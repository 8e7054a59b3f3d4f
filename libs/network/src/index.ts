export { loadNetwork, type ModelFiles } from './model/load-network.ts';
export { SUPPORTED_LAYERS } from './model/build-layer.ts';
export { Network, type Node, type NetworkDefinition, type Tape } from './network.ts';
export { ParameterLayout, type ParameterEntry } from './parameter-layout.ts';
export { Rows } from './rows.ts';
export type { VisitedLayer } from './visited-layer.ts';
export type { Layer, LayerTape, Signal, Weight, WeightKind } from './layers/layer.ts';
