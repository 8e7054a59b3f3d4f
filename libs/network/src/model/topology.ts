import { SublaceError } from '@sublace/errors';

/** A tensor in the graph of a model: the output of one call of one layer. */
export interface TensorReference {
  readonly layer: string;
  /** Which of the layer's calls, from 0. */
  readonly call: number;
  /** Which of its outputs, from 0. */
  readonly tensor: number;
}

/** One place where a layer is used. */
export interface LayerCall {
  readonly inputs: readonly TensorReference[];
  /** Tensors that are passed by name, such as the `value` of an attention layer. */
  readonly named: Readonly<Record<string, TensorReference>>;
  /** Everything else that is passed by name. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** A layer as a model file describes it. */
export interface LayerSpec {
  readonly name: string;
  readonly className: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Where it is used, within its model; none for inputs, several for a shared layer. */
  readonly calls: readonly LayerCall[];
  /** Its own layers, if it is a model. */
  readonly nested?: ModelSpec;
}

/** The graph of a model, or of a model inside a model. */
export interface ModelSpec {
  /** In file order. */
  readonly layers: readonly LayerSpec[];
  readonly inputs: readonly TensorReference[];
  readonly outputs: readonly TensorReference[];
}

type Json = Readonly<Record<string, unknown>>;

/** Classes that are models. */
const MODEL_CLASSES = ['Sequential', 'Model', 'Functional'];

/**
 * The graph of a tf.js LayersModel or a converted Keras model: sequential or functional, also files that have no `format` field or keep a
 * sequential model's layers directly in `config`.
 *
 * @param modelJson  Content of model.json.
 * @returns  Its layers and how they are connected.
 * @throws {SublaceError} MODEL_INVALID when it is not such a model; MODEL_UNSUPPORTED for graph models.
 */
export function parseTopology(modelJson: unknown): ModelSpec {
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
  if (MODEL_CLASSES.includes(className)) return parseModel(className, model['config']);
  throw new SublaceError('MODEL_UNSUPPORTED', `model.json: expected class Sequential, Model or Functional, got ${className}`);
}

function parseModel(className: string, config: unknown): ModelSpec {
  return className === 'Sequential' ? parseSequential(config) : parseFunctional(asObject(config, 'model.json: config'));
}

function parseSequential(config: unknown): ModelSpec {
  const list = Array.isArray(config)
    ? (config as unknown[])
    : asArray(asObject(config, 'model.json: config')['layers'], 'model.json: layers');
  if (list.length === 0) throw new SublaceError('MODEL_INVALID', 'model.json: expected at least one layer, got none');
  const given = list.map((entry) => parseLayer(entry));
  // Without a layer for it, the input is described by the first layer.
  const first = given[0];
  const parsed = first.className === 'InputLayer' ? given : [inputOf(first), ...given];
  const layers: LayerSpec[] = [];
  for (const layer of parsed) {
    const previous = layers.at(-1);
    layers.push({ ...layer, calls: previous ? [{ inputs: [outputOf(previous.name)], named: {}, options: {} }] : [] });
  }
  return checkNames({ layers, inputs: [outputOf(layers[0].name)], outputs: [outputOf(layers[layers.length - 1].name)] });
}

function inputOf({ name, config, nested }: Omit<LayerSpec, 'calls'>): Omit<LayerSpec, 'calls'> {
  const nestedInput = nested?.layers.find((layer) => layer.name === nested.inputs[0].layer);
  return { name: `${name}/input`, className: 'InputLayer', config: nestedInput?.config ?? config };
}

function parseFunctional(config: Json): ModelSpec {
  const layers = asArray(config['layers'], 'model.json: layers').map((entry) => {
    const spec = parseLayer(entry);
    const nodes = asArray(asObject(entry, 'layer')['inbound_nodes'], `layer '${spec.name}': inbound_nodes`);
    return { ...spec, calls: nodes.map((node) => parseCall(node, spec.name)) };
  });
  const references = (key: string): TensorReference[] => parseReferences(config[key], `model.json: ${key}`);
  return checkNames(countCallsFromZero({ layers, inputs: references('input_layers'), outputs: references('output_layers') }));
}

/**
 * A call: Keras 2 and tf.js write [[layer, call, tensor, options], ...], with tensors among the options as [layer, call, tensor]; Keras 3
 * writes { args: [tensors], kwargs }.
 */
function parseCall(node: unknown, layer: string): LayerCall {
  const inputs: TensorReference[] = [];
  const named: Record<string, TensorReference> = {};
  const options: Record<string, unknown> = {};
  const addOptions = (given: unknown): void => {
    for (const [key, value] of Object.entries((given ?? {}) as Json)) {
      const reference = asReference(value);
      if (reference) named[key] = reference;
      else options[key] = value;
    }
  };
  if (Array.isArray(node)) {
    for (const input of (typeof node[0] === 'string' ? [node] : node) as unknown[]) {
      const reference = asReference(input);
      if (!reference)
        throw new SublaceError('MODEL_INVALID', `layer '${layer}': expected [layer, call, tensor], got ${JSON.stringify(input)}`);
      inputs.push(reference);
      addOptions((input as unknown[])[3]);
    }
  } else {
    const collect = (value: unknown): void => {
      const reference = asReference(value);
      if (reference) inputs.push(reference);
      else if (Array.isArray(value)) value.forEach(collect);
    };
    collect(asObject(node, `layer '${layer}': inbound_nodes`)['args']);
    addOptions((node as Json)['kwargs']);
  }
  return { inputs, named, options };
}

/** [layer, call, tensor, ...], or what Keras 3 writes for a tensor. */
function asReference(value: unknown): TensorReference | undefined {
  if (Array.isArray(value)) {
    const [layer, call, tensor] = value as unknown[];
    return typeof layer === 'string' && typeof call === 'number' && typeof tensor === 'number' ? { layer, call, tensor } : undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  return asReference(((value as Json)['config'] as Json | undefined)?.['keras_history']);
}

/** One reference, a list of them, or references by name. */
function parseReferences(value: unknown, what: string): TensorReference[] {
  const single = asReference(value);
  if (single) return [single];
  const list = Array.isArray(value) ? (value as unknown[]) : Object.values(asObject(value, what));
  return list.map((entry) => {
    const reference = asReference(entry);
    if (!reference) throw new SublaceError('MODEL_INVALID', `${what}: expected [layer, call, tensor], got ${JSON.stringify(entry)}`);
    return reference;
  });
}

/** The first call of a nested model is 1 in most files, where 0 is the model's own definition; every call is referred to. */
function countCallsFromZero(model: ModelSpec): ModelSpec {
  const used = [
    ...model.outputs,
    ...model.layers.flatMap(({ calls }) => calls.flatMap(({ inputs, named }) => [...inputs, ...Object.values(named)])),
  ];
  const firstCall = new Map<string, number>();
  for (const { name, nested } of model.layers) {
    if (nested) firstCall.set(name, Math.min(...used.filter(({ layer }) => layer === name).map(({ call }) => call)));
  }
  const shift = (reference: TensorReference): TensorReference => ({
    ...reference,
    call: reference.call - (firstCall.get(reference.layer) ?? 0),
  });
  const layers = model.layers.map((layer) => ({
    ...layer,
    calls: layer.calls.map((call) => ({
      ...call,
      inputs: call.inputs.map(shift),
      named: Object.fromEntries(Object.entries(call.named).map(([key, reference]) => [key, shift(reference)])),
    })),
  }));
  return { layers, inputs: model.inputs, outputs: model.outputs.map(shift) };
}

function checkNames(model: ModelSpec): ModelSpec {
  const names = new Set<string>();
  for (const { name } of model.layers) {
    if (names.has(name)) throw new SublaceError('MODEL_INVALID', `model.json: expected layer names to differ, got '${name}' twice`);
    names.add(name);
  }
  return model;
}

function parseLayer(entry: unknown): Omit<LayerSpec, 'calls'> {
  const layer = asObject(entry, 'model.json: a layer');
  const className = String(layer['class_name']);
  // Old files keep the layers of a nested sequential model directly in its `config`.
  const list = Array.isArray(layer['config']) ? (layer['config'] as unknown[]) : undefined;
  const config = list ? { layers: list } : asObject(layer['config'], 'model.json: a layer config');
  const name = String(layer['name'] ?? config['name']);
  if (!MODEL_CLASSES.includes(className)) return { name, className, config };
  return { name, className, config, nested: parseModel(className, config) };
}

function outputOf(layer: string): TensorReference {
  return { layer, call: 0, tensor: 0 };
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
