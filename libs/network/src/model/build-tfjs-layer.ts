import * as tf from '@tensorflow/tfjs';
import { SublaceError } from '@sublace/errors';
import { notDifferentiable, TfjsLayer } from '../layers/tfjs-layer.ts';
import { REFUSED_LAYERS, REFUSED_ON_WASM } from './builders/refused.ts';
import type { LayerSpec } from './topology.ts';
import type { WeightTable } from './weights.ts';

/** How tf.js builds a layer from its configuration. */
type Registration = [unknown, (cls: unknown, config: object) => tf.layers.Layer];

/** Outputs of one example alone and in a batch may differ by this much, relative to the largest. */
const BATCH_TOLERANCE = 1e-3;

/**
 * Builds a layer that has no rule of its own from tf.js's class of that name: one of tf.js itself, or one that the program registered with
 * `tf.serialization.registerClass`.
 *
 * @param spec  The layer.
 * @param weights  The model's weights.
 * @param inputShapes  Shapes of one example of each input.
 * @param supported  Classes with a rule, for the message.
 * @returns  The layer, tried out: it is differentiable in its weights, and treats the examples of a batch apart.
 * @throws {SublaceError} MODEL_UNSUPPORTED when there is no such class, tf.js cannot build or differentiate it, or it keeps a state;
 *   MODEL_INVALID for missing weights.
 */
export function buildTfjsLayer(
  spec: LayerSpec,
  weights: WeightTable,
  inputShapes: readonly (readonly number[])[],
  supported: readonly string[],
): TfjsLayer {
  const { name, className, config } = spec;
  const refuse = (reason: string, cause?: unknown): SublaceError =>
    new SublaceError('MODEL_UNSUPPORTED', `layer '${name}' (${className}): ${reason}`, { cause });
  if (Object.hasOwn(REFUSED_LAYERS, className)) throw refuse(REFUSED_LAYERS[className]);
  if (tf.getBackend() === 'wasm' && Object.hasOwn(REFUSED_ON_WASM, className)) throw refuse(REFUSED_ON_WASM[className]);
  const map = tf.serialization.SerializationMap.getMap().classNameMap as unknown as Readonly<Record<string, Registration>>;
  if (!Object.hasOwn(map, className)) {
    throw new SublaceError(
      'MODEL_UNSUPPORTED',
      `layer '${name}' of class ${className} is not supported: it has no rule here, and tf.js knows no class of that name ` +
        `(register it with tf.serialization.registerClass); with a rule: ${supported.join(', ')}`,
    );
  }
  if (hasState(config)) throw refuse('stateful: expected false, got true');

  let layer: tf.layers.Layer;
  try {
    const [cls, fromConfig] = map[className];
    layer = fromConfig(cls, toTypescript({ ...config, name, trainable: true }) as object);
    if (!(layer instanceof tf.layers.Layer)) throw new Error(`${className} is not a layer`);
    const symbols = inputShapes.map((shape) => tf.input({ shape: [...shape] }));
    layer.apply(symbols.length === 1 ? symbols[0] : symbols);
  } catch (cause) {
    throw refuse(`tf.js cannot build it: ${cause instanceof Error ? cause.message.split('\n')[0] : String(cause)}`, cause);
  }
  const variables = variablesOf(layer, weights);
  const built = new TfjsLayer(name, layer, variables);
  tf.tidy(() => {
    tryOut(built, [...variables.values()], inputShapes, refuse);
  });
  return built;
}

/** Weights by name within the layer; their values are those of the file. All variables belong to the table from now on. */
function variablesOf(layer: tf.layers.Layer, weights: WeightTable): Map<string, tf.Variable> {
  const trainable = new Set(layer.trainableWeights);
  const variables = new Map<string, tf.Variable>();
  const all = layer.weights.map((weight) => {
    const variable: unknown = weight.read();
    if (!(variable instanceof tf.Variable)) throw new SublaceError('INTERNAL', `expected a variable behind the weight ${weight.name}`);
    return { weight, variable: variable as tf.Variable };
  });
  for (const { variable } of all) weights.adopt(variable);
  for (const { weight, variable } of all) {
    const path = weight.originalName.split('/');
    const value = weights.ofCell(path.slice(0, -1).join('/'), path[path.length - 1]);
    if (value.shape.join() !== variable.shape.join())
      throw new SublaceError(
        'MODEL_INVALID',
        `weight '${weight.originalName}': expected shape [${variable.shape.join(', ')}], got [${value.shape.join(', ')}]`,
      );
    variable.assign(value);
    if (trainable.has(weight)) variables.set(path.slice(path[0] === layer.name ? 1 : 0).join('/'), variable);
  }
  return variables;
}

/** Refuses what would give wrong numbers or fail in the middle of a fit. */
function tryOut(
  layer: TfjsLayer,
  variables: tf.Variable[],
  inputShapes: readonly (readonly number[])[],
  refuse: (reason: string) => SublaceError,
): void {
  const batch = inputShapes.map((shape, i) => tf.round(tf.randomUniform([2, ...shape], 0, 2, 'float32', 5 + i)));
  const { output } = layer.forward(batch);
  const alone = [0, 1].map((n) => layer.forward(batch.map((input) => tf.slice(input, n, 1))).output);
  const scale = Math.max(tf.max(tf.abs(output)).dataSync()[0], 1e-30);
  const difference = tf.max(tf.abs(tf.sub(output, tf.concat(alone)))).dataSync()[0];
  if (!(difference <= BATCH_TOLERANCE * scale))
    throw refuse(
      'expected each output to depend on its own example only, the same in every call; got another output in a batch than alone',
    );
  if (variables.length === 0) return;
  const example = batch.map((input) => tf.slice(input, 0, 1));
  try {
    tf.variableGrads(() => tf.sum(layer.forward(example).output), variables);
  } catch (cause) {
    throw notDifferentiable(layer.name, layer.className, 'its weights', cause);
  }
}

/** Whether it, or a layer that it wraps, carries a state from one call to the next. */
function hasState(config: unknown): boolean {
  if (typeof config !== 'object' || config === null) return false;
  return Object.entries(config).some(([key, value]) => (key === 'stateful' ? value === true : hasState(value)));
}

/** Files have snake_case keys and constants where tf.js's constructors have camelCase; names are kept. */
function toTypescript(value: unknown, key = ''): unknown {
  const convert = (text: string): string => text.replace(/_+(\w|$)/g, (_, next: string) => next.toUpperCase());
  if (typeof value === 'string') return key === 'name' || key === 'class_name' ? value : convert(value);
  if (Array.isArray(value)) return value.map((item) => toTypescript(item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [convert(name), toTypescript(item, name)]));
}
