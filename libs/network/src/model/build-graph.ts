import { SublaceError } from '@sublace/errors';
import { InputPart } from '../layers/input-part.ts';
import type { Layer } from '../layers/layer.ts';
import type { Node } from '../network.ts';
import { nodeSizes } from '../node-sizes.ts';
import { buildLayer, hasRule, SUPPORTED_LAYERS } from './build-layer.ts';
import { buildTfjsLayer } from './build-tfjs-layer.ts';
import { innerOf, OVER_STEPS_CLASS, overSteps } from './build-over-steps.ts';
import { ATTENTION_CLASS, attentionCall, expandAttention } from './expand-attention.ts';
import { BIDIRECTIONAL_CLASS, expandBidirectional } from './expand-bidirectional.ts';
import type { LayerCall, LayerSpec, ModelSpec, TensorReference } from './topology.ts';
import type { WeightTable } from './weights.ts';

/** The nodes of a model. */
export interface Graph {
  /** Each after its inputs; the last one is the output, and all others lead to it. */
  readonly nodes: readonly Node[];
  /** Shape of one example; of several inputs, the sum of their sizes. */
  readonly inputShape: readonly number[];
}

/**
 * Connects the layers of a model: models inside models are taken apart, a layer that is used in several places becomes as many nodes.
 *
 * @param model  What the file says.
 * @param weights  The model's weights.
 * @returns  Its nodes.
 * @throws {SublaceError} MODEL_INVALID or MODEL_UNSUPPORTED, naming the layer.
 */
export function buildGraph(model: ModelSpec, weights: WeightTable): Graph {
  if (model.outputs.length !== 1) {
    const names = model.outputs.map(({ layer }) => layer).join(', ');
    throw new SublaceError('MODEL_UNSUPPORTED', `expected one output, got ${model.outputs.length}: ${names}`);
  }
  const shapes = model.inputs.map((input) => inputShapeOf(findLayer(model, input)));
  const inputShape = shapes.length === 1 ? shapes[0] : [shapes.reduce((sum, shape) => sum + sizeOf(shape), 0)];
  const builder = new GraphBuilder(weights, repeatedNames(model), inputShape);
  if (shapes.length === 1) return { nodes: leadingTo(builder.nodes, builder.connect(model, [-1], '')[0]), inputShape };

  let start = 0;
  const parts = model.inputs.map(({ layer }, i) => {
    builder.nodes.push({ layer: new InputPart(layer, start, shapes[i]), inputs: [-1] });
    start += sizeOf(shapes[i]);
    return builder.nodes.length - 1;
  });
  return { nodes: leadingTo(builder.nodes, builder.connect(model, parts, '')[0]), inputShape };
}

class GraphBuilder {
  readonly nodes: Node[] = [];
  readonly #weights: WeightTable;
  readonly #repeatedNames: ReadonlySet<string>;
  readonly #inputShape: readonly number[];
  readonly #built = new Map<LayerSpec, Layer[]>();
  readonly #expanded = new Map<LayerSpec, ModelSpec>();

  constructor(weights: WeightTable, repeatedNames: ReadonlySet<string>, inputShape: readonly number[]) {
    this.#weights = weights;
    this.#repeatedNames = repeatedNames;
    this.#inputShape = inputShape;
  }

  /** Adds the nodes of a model that is fed by these nodes; returns those that are its outputs. */
  connect(model: ModelSpec, inputs: readonly number[], path: string): number[] {
    if (inputs.length !== model.inputs.length)
      throw new SublaceError('MODEL_INVALID', `model '${path}': expected ${model.inputs.length} inputs, got ${inputs.length}`);
    const outputs = new Map<string, number[]>(model.inputs.map(({ layer }, i) => [keyOf(layer, 0), [inputs[i]]]));
    const remaining = model.layers.flatMap((spec) =>
      spec.calls.map((call, index) => ({ spec, call: spec.className === ATTENTION_CLASS ? attentionCall(spec, call) : call, index })),
    );
    while (remaining.length > 0) {
      // Files usually list layers in graph order, but need not.
      const next = remaining.findIndex(({ call }) => argumentsOf(call).every(({ layer, call: index }) => outputs.has(keyOf(layer, index))));
      if (next < 0) {
        const { spec, call } = remaining[0];
        const names = argumentsOf(call).map(({ layer }) => layer);
        throw new SublaceError('MODEL_INVALID', `layer '${spec.name}': its inputs ${names.join(', ')} are not layers of the model`);
      }
      const [{ spec, call, index }] = remaining.splice(next, 1);
      const fedBy = argumentsOf(call).map((reference) => outputAt(outputs, reference));
      outputs.set(keyOf(spec.name, index), this.#call(spec, call, fedBy, path));
    }
    return model.outputs.map((reference) => outputAt(outputs, reference));
  }

  #call(spec: LayerSpec, call: LayerCall, inputs: readonly number[], path: string): number[] {
    checkCall(spec, call);
    if (spec.nested) return this.connect(spec.nested, inputs, `${path}${spec.name}/`);
    if (spec.className === 'InputLayer') return [inputs[0]];
    const name = this.#repeatedNames.has(spec.name) ? `${path}${spec.name}` : spec.name;
    const parts = this.#expand(spec, name, inputs.length);
    if (parts) return this.connect(parts, inputs, path);
    const layers = this.#built.get(spec) ?? this.#build({ ...spec, name }, inputs);
    this.#built.set(spec, layers);
    let feeding = inputs;
    for (const layer of layers) {
      this.nodes.push({ layer, inputs: feeding });
      feeding = [this.nodes.length - 1];
    }
    return [feeding[0]];
  }

  /** The parts of a layer that is taken apart. */
  #expand(spec: LayerSpec, name: string, inputCount: number): ModelSpec | undefined {
    const known = this.#expanded.get(spec);
    if (known) return known;
    let parts: ModelSpec | undefined;
    if (spec.className === ATTENTION_CLASS) parts = expandAttention({ ...spec, name });
    if (spec.className === BIDIRECTIONAL_CLASS && inputCount === 1) parts = expandBidirectional({ ...spec, name });
    if (parts) this.#expanded.set(spec, parts);
    return parts;
  }

  #build(spec: LayerSpec, inputs: readonly number[]): Layer[] {
    if (hasRule(spec.className, inputs.length)) return buildLayer(spec, this.#weights);
    const inner = spec.className === OVER_STEPS_CLASS ? innerOf(spec) : undefined;
    if (inner && hasRule(inner.className, 1)) return overSteps(inner, this.#weights);
    const sizes = nodeSizes(this.nodes, this.#inputShape);
    const inputShapes = inputs.map((input) => (input < 0 ? this.#inputShape : sizes[input].shape.slice(1)));
    return [buildTfjsLayer(spec, this.#weights, inputShapes, SUPPORTED_LAYERS)];
  }
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

function argumentsOf({ inputs, named }: LayerCall): TensorReference[] {
  return [...inputs, ...Object.values(named)];
}

/** Inference takes no other arguments than tensors. */
function checkCall({ name, className }: LayerSpec, { named, options }: LayerCall): void {
  const given = Object.entries(options).find(([, value]) => value !== null && value !== false);
  const key = given?.[0] ?? Object.keys(named)[0];
  if (key !== undefined)
    throw new SublaceError('MODEL_UNSUPPORTED', `layer '${name}' (${className}): called with '${key}', which is not supported`);
}

function outputAt(outputs: ReadonlyMap<string, readonly number[]>, { layer, call, tensor }: TensorReference): number {
  const nodes = outputs.get(keyOf(layer, call)) ?? [];
  if (tensor < nodes.length) return nodes[tensor];
  throw new SublaceError('MODEL_UNSUPPORTED', `layer '${layer}': output ${tensor} is used; only a layer's first output is supported`);
}

function keyOf(layer: string, call: number): string {
  return `${call} ${layer}`;
}

function findLayer(model: ModelSpec, { layer }: TensorReference): LayerSpec {
  const spec = model.layers.find(({ name }) => name === layer);
  if (!spec) throw new SublaceError('MODEL_INVALID', `model.json: input '${layer}' is not a layer of the model`);
  return spec;
}

function inputShapeOf({ name, config }: LayerSpec): number[] {
  const shape = config['batch_input_shape'] ?? config['batch_shape'];
  if (!Array.isArray(shape))
    throw new SublaceError('MODEL_INVALID', `layer '${name}': expected batch_input_shape, got none; the model must state its input shape`);
  const example = shape.slice(1) as (number | null)[];
  if (example.some((extent) => extent === null))
    throw new SublaceError('MODEL_UNSUPPORTED', `layer '${name}': expected a fixed input shape, got [${example.join(', ')}]`);
  return example as number[];
}

/** Names that several layers have, in models inside the model: such a layer is called by its path. */
function repeatedNames(model: ModelSpec): ReadonlySet<string> {
  const [seen, repeated] = [new Set<string>(), new Set<string>()];
  const visit = ({ layers }: ModelSpec): void => {
    for (const { name, nested } of layers) {
      if (seen.has(name)) repeated.add(name);
      seen.add(name);
      if (nested) visit(nested);
    }
  };
  visit(model);
  return repeated;
}

/** The nodes that lead to one node, and it. */
function leadingTo(nodes: readonly Node[], output: number): Node[] {
  if (output < 0) throw new SublaceError('MODEL_INVALID', 'model.json: expected an input and at least one layer');
  const isKept = new Array<boolean>(output + 1).fill(false);
  isKept[output] = true;
  for (let i = output; i >= 0; i--) if (isKept[i]) for (const input of nodes[i].inputs) if (input >= 0) isKept[input] = true;
  const positions = new Map<number, number>([[-1, -1]]);
  const kept: Node[] = [];
  for (const [i, { layer, inputs }] of nodes.slice(0, output + 1).entries()) {
    if (!isKept[i]) continue;
    positions.set(i, kept.length);
    kept.push({ layer, inputs: inputs.map((input) => positions.get(input) as number) });
  }
  return kept;
}
