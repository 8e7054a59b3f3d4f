/** A layer in a model's JSON. */
interface LayerJson {
  class_name: string;
  config: { name?: string; activation?: unknown };
}

const SOFTMAX_CLASSES = ['Softmax', 'Activation'];

/**
 * A model's JSON that ends in logits: a softmax (or sigmoid) that is its last layer, or the activation of its last layer, becomes the identity. Training takes it
 * itself.
 *
 * @param modelJson  Content of model.json of a model that ends in one output layer. Borrowed.
 * @returns  A changed copy; the same weights belong to it.
 */
export function withoutSoftmax<T>(modelJson: T): T {
  const copy = structuredClone(modelJson);
  const topology = (copy as { modelTopology: { model_config?: unknown } }).modelTopology;
  const { config } = (topology.model_config ?? topology) as { config: LayerJson[] | { layers: LayerJson[]; output_layers?: unknown[] } };
  const layers = Array.isArray(config) ? config : config.layers;
  const output = Array.isArray(config) ? undefined : config.output_layers?.flat()[0];
  const last = layers.find((layer) => layer.config.name === output) ?? layers[layers.length - 1];
  if (SOFTMAX_CLASSES.includes(last.class_name)) {
    last.class_name = 'Activation';
    last.config = { ...(last.config.name !== undefined && { name: last.config.name }), activation: 'linear' };
  } else last.config.activation = 'linear';
  return copy;
}
