import { SublaceError } from '@sublace/errors';

/** A layer as a model file describes it. */
export interface LayerSpec {
  readonly name: string;
  readonly className: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Names of the layers that feed it; empty for the first layer of a sequential model and for inputs. */
  readonly inputs: readonly string[];
}

/** What a model file says of its graph. */
export interface Topology {
  readonly layers: readonly LayerSpec[];
  readonly outputLayer: string;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * The layers of a tf.js LayersModel or a converted Keras model: sequential or functional, also files that have no `format` field or keep a
 * sequential model's layers directly in `config`.
 *
 * @param modelJson  Content of model.json.
 * @returns  Layers in file order.
 * @throws {SublaceError} MODEL_INVALID when it is not such a model; MODEL_UNSUPPORTED for graph models, several outputs, shared or nested layers.
 */
export function parseTopology(modelJson: unknown): Topology {
  const root = asObject(modelJson, 'model.json');
  if (root['format'] === 'graph-model') {
    throw new SublaceError(
      'MODEL_UNSUPPORTED',
      "model.json: expected a layers model, got a graph model, which has lost its layers; export with 'tf_layers_model'",
    );
  }
  const topology = asObject(root['modelTopology'], 'model.json: modelTopology');
  const model = asObject(topology['model_config'] ?? topology, 'model.json: model_config');
  const className = String(model['class_name']);
  if (className === 'Sequential') return parseSequential(model['config']);
  if (className === 'Model' || className === 'Functional') return parseFunctional(asObject(model['config'], 'model.json: config'));
  throw new SublaceError('MODEL_UNSUPPORTED', `model.json: expected class Sequential, Model or Functional, got ${className}`);
}

function parseSequential(config: unknown): Topology {
  const list = Array.isArray(config)
    ? (config as unknown[])
    : asArray(asObject(config, 'model.json: config')['layers'], 'model.json: layers');
  const layers: LayerSpec[] = [];
  for (const entry of list) {
    const spec = parseLayer(entry);
    layers.push({ ...spec, inputs: layers.length > 0 ? [layers[layers.length - 1].name] : [] });
  }
  if (layers.length === 0) throw new SublaceError('MODEL_INVALID', 'model.json: expected at least one layer, got none');
  return { layers, outputLayer: layers[layers.length - 1].name };
}

function parseFunctional(config: Json): Topology {
  const layers = asArray(config['layers'], 'model.json: layers').map((entry) => {
    const spec = parseLayer(entry);
    const nodes = asArray(asObject(entry, 'layer')['inbound_nodes'], `layer '${spec.name}': inbound_nodes`);
    if (nodes.length > 1)
      throw new SublaceError(
        'MODEL_UNSUPPORTED',
        `layer '${spec.name}' (${spec.className}) is used in ${nodes.length} places; shared layers are not supported yet`,
      );
    return { ...spec, inputs: nodes.length === 0 ? [] : inboundLayers(nodes[0]) };
  });
  const outputs = asArray(config['output_layers'], 'model.json: output_layers');
  // One output is [name, node, tensor] or [[name, node, tensor]].
  const names = typeof outputs[0] === 'string' ? [outputs[0]] : outputs.map((output) => String((output as unknown[])[0]));
  if (names.length !== 1) throw new SublaceError('MODEL_UNSUPPORTED', `expected one output, got ${names.length}: ${names.join(', ')}`);
  return { layers, outputLayer: names[0] };
}

/** Names in one inbound node: Keras 2 and tf.js write [[name, node, tensor, kwargs], ...], Keras 3 writes {args: [tensors], kwargs}. */
function inboundLayers(node: unknown): string[] {
  if (Array.isArray(node)) return node.map((input) => String((input as unknown[])[0]));
  const names: string[] = [];
  const collect = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(collect);
    else if (typeof value === 'object' && value !== null) {
      const history = ((value as Json)['config'] as Json | undefined)?.['keras_history'];
      if (Array.isArray(history)) names.push(String(history[0]));
    }
  };
  collect((node as Json)['args']);
  return names;
}

function parseLayer(entry: unknown): Omit<LayerSpec, 'inputs'> {
  const layer = asObject(entry, 'model.json: a layer');
  const config = asObject(layer['config'], 'model.json: a layer config');
  return { name: String(config['name'] ?? layer['name']), className: String(layer['class_name']), config };
}

function asObject(value: unknown, what: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw new SublaceError(
    'MODEL_INVALID',
    `${what}: expected an object, got ${Array.isArray(value) ? 'an array' : String(value)}; is this a tf.js LayersModel?`,
  );
}

function asArray(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value as unknown[];
  throw new SublaceError('MODEL_INVALID', `${what}: expected an array, got ${typeof value}`);
}
