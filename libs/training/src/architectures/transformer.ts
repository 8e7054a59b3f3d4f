import * as tf from '@tensorflow/tfjs';
import { SublaceError } from '@sublace/errors';
import type { ArchitectureOptions } from './architecture.ts';
import { layerInitialisers, type LayerInitialisers } from './initialisers.ts';

/** Hidden units of the perceptron of a block, per unit of its width. */
const EXPANSION = 4;

type Dense = Parameters<typeof tf.layers.dense>[0];

/** Where the next layer goes, and what draws its weights. */
interface Builder {
  readonly initialisers: LayerInitialisers;
  readonly width: number;
  readonly headCount: number;
}

/**
 * Transformer classifier `transformer:WIDTHxDEPTH[xHEADS]`. Tokens are the rows of an image, or the steps of a sequence [T, F]; each is embedded in
 * WIDTH features, and DEPTH blocks follow (Vaswani et al. 2017, arXiv:1706.03762, in the pre-norm form of Xiong et al. 2020, arXiv:2002.04745):
 *
 *   x = x + projection(heads(norm(x))),  x = x + mlp2(gelu(mlp1(norm(x)))),  logits = output(mean over tokens of norm(x))
 *
 * Only layers that every tf.js can load are used, so each head has its own dense layers and dot products. tf.js has no layer that adds a learned
 * vector per position: the shift of a normalisation over the whole example (`positions`) is one; its gain stays, since tf.js cannot train
 * without. Keys have no bias, since it would shift all scores of a query alike.
 *
 * @param options  Input shape, outputs, seed.
 * @param argument  `WIDTHxDEPTH` or `WIDTHxDEPTHxHEADS`, for example `32x2x4`; the default. Two heads where none are given.
 * @returns  A LayersModel from [N, ...inputShape] to outputs [N, outputCount].
 * @throws SublaceError INVALID_ARGUMENT when `argument` has another form or heads do not divide the width; SHAPE_MISMATCH for flat inputs.
 */
export function buildTransformer(options: ArchitectureOptions, argument: string | undefined): tf.LayersModel {
  const { width, depth, headCount } = parseArgument(argument ?? '32x2x4');
  const { inputShape, outputCount } = options;
  if (inputShape.length < 2) {
    const expected = 'images [height, width, channels] or sequences [steps, features]';
    throw new SublaceError(
      'SHAPE_MISMATCH',
      `transformer: expected ${expected}, got examples [${inputShape.join(', ')}]; use mlp:WIDTHxDEPTH`,
    );
  }
  const initialisers = layerInitialisers(options.seed);
  const input = tf.input({ shape: [...inputShape], name: 'input' });
  const [tokenCount, ...rest] = inputShape;
  const features = rest.reduce((product, extent) => product * extent, 1);
  const tokens = rest.length > 1 ? on(tf.layers.reshape({ targetShape: [tokenCount, features], name: 'tokens' }), input) : input;
  const embedded = on(dense({ units: width, name: 'embedding' }, initialisers), tokens);
  const positions = { axis: [1, 2], betaInitializer: initialisers.position(), name: 'positions' };
  let x = on(tf.layers.layerNormalization(positions), embedded);
  for (let block = 1; block <= depth; block++) x = addBlock(x, `block${block}`, { initialisers, width, headCount });
  const pooled = on(tf.layers.globalAveragePooling1d({ name: 'pool' }), on(tf.layers.layerNormalization({ name: 'norm' }), x));
  const output = on(dense({ units: outputCount, name: 'output' }, initialisers), pooled);
  return tf.model({ inputs: input, outputs: output, name: 'transformer' });
}

function parseArgument(argument: string): { width: number; depth: number; headCount: number } {
  const match = /^([1-9]\d{0,4})x([1-9]\d?)(?:x([1-9]\d?))?$/.exec(argument);
  if (!match) {
    const expected = 'transformer:WIDTHxDEPTH[xHEADS] such as transformer:32x2x4';
    throw new SublaceError('INVALID_ARGUMENT', `architecture: expected ${expected}, got 'transformer:${argument}'`);
  }
  const [width, depth, headCount] = [Number(match[1]), Number(match[2]), Number(match[3] ?? 2)];
  if (width % headCount !== 0)
    throw new SublaceError('INVALID_ARGUMENT', `transformer:${argument}: expected heads that divide the width ${width}, got ${headCount}`);
  return { width, depth, headCount };
}

function addBlock(x: tf.SymbolicTensor, name: string, builder: Builder): tf.SymbolicTensor {
  const { initialisers, width, headCount } = builder;
  const normed = on(tf.layers.layerNormalization({ name: `${name}_norm1` }), x);
  const heads = Array.from({ length: headCount }, (_, h) => addHead(normed, `${name}_head${h + 1}`, builder));
  const joined = heads.length > 1 ? on(tf.layers.concatenate({ name: `${name}_heads` }), ...heads) : heads[0];
  const attended = on(
    tf.layers.add({ name: `${name}_add1` }),
    x,
    on(dense({ units: width, name: `${name}_projection` }, initialisers), joined),
  );

  const again = on(tf.layers.layerNormalization({ name: `${name}_norm2` }), attended);
  const activation = 'gelu' as NonNullable<Dense['activation']>;
  const kernelInitializer = initialisers.hidden();
  const hidden = on(tf.layers.dense({ units: EXPANSION * width, activation, kernelInitializer, name: `${name}_mlp1` }), again);
  return on(tf.layers.add({ name: `${name}_add2` }), attended, on(dense({ units: width, name: `${name}_mlp2` }, initialisers), hidden));
}

/** softmax(q k' / sqrt(D)) v over the tokens, D features wide. */
function addHead(x: tf.SymbolicTensor, name: string, { initialisers, width, headCount }: Builder): tf.SymbolicTensor {
  const units = width / headCount;
  const [query, key, value] = ['query', 'key', 'value'].map((role) =>
    on(dense({ units, useBias: role !== 'key', name: `${name}_${role}` }, initialisers), x),
  );
  const scaled = on(tf.layers.rescaling({ scale: 1 / Math.sqrt(units), name: `${name}_scale` }), query);
  const scores = on(tf.layers.dot({ axes: 2, name: `${name}_scores` }), scaled, key);
  const attention = on(tf.layers.softmax({ axis: -1, name: `${name}_softmax` }), scores);
  return on(tf.layers.dot({ axes: [2, 1], name: `${name}_mix` }), attention, value);
}

function dense(args: Dense, initialisers: LayerInitialisers): tf.layers.Layer {
  return tf.layers.dense({ ...args, kernelInitializer: initialisers.output() });
}

function on(layer: tf.layers.Layer, ...inputs: tf.SymbolicTensor[]): tf.SymbolicTensor {
  return layer.apply(inputs.length === 1 ? inputs[0] : inputs) as tf.SymbolicTensor;
}
