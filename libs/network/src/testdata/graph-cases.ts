import * as tf from '@tensorflow/tfjs';
import type { NetworkCase } from './cases.ts';

type Symbolic = tf.SymbolicTensor;

const dense = (units: number, name: string, activation?: 'tanh'): tf.layers.Layer =>
  tf.layers.dense({ units, name, ...(activation && { activation }) });

/** A layer's output for some inputs. */
function on(layer: tf.layers.Layer, ...inputs: Symbolic[]): Symbolic {
  return layer.apply(inputs.length === 1 ? inputs[0] : inputs) as Symbolic;
}

/** A model of one input. */
function of(inputShape: number[], outputs: (input: Symbolic) => Symbolic): Omit<NetworkCase, 'name'> {
  return {
    inputShape,
    build: () => {
      const input = tf.input({ shape: inputShape });
      return tf.model({ inputs: input, outputs: outputs(input) });
    },
  };
}

/** A model of several inputs. */
function ofSeveral(inputShapes: number[][], outputs: (...inputs: Symbolic[]) => Symbolic): Omit<NetworkCase, 'name'> {
  return {
    inputShape: [inputShapes.reduce((sum, shape) => sum + shape.reduce((product, extent) => product * extent, 1), 0)],
    build: () => {
      const inputs = inputShapes.map((shape) => tf.input({ shape }));
      return tf.model({ inputs, outputs: outputs(...inputs) });
    },
  };
}

/** A functional model to nest. */
function nested(name: string, prefix = name): tf.LayersModel {
  const input = tf.input({ shape: [3], name: `${prefix}_input` });
  const hidden = on(dense(4, `${prefix}_a`, 'tanh'), input);
  return tf.model({ inputs: input, outputs: on(tf.layers.add(), on(dense(3, `${prefix}_b`), hidden), input), name });
}

const graphs: NetworkCase[] = [
  {
    name: 'a dense layer used twice in a row and once beside',
    ...of([3], (input) => {
      const shared = dense(3, 'shared', 'tanh');
      return on(dense(2, 'head'), on(tf.layers.add(), on(shared, on(shared, input)), on(shared, input)));
    }),
  },
  {
    name: 'a convolution shared by two inputs',
    ...ofSeveral([[4, 4, 1], [4, 4, 1]], (left, right) => {
      const shared = tf.layers.conv2d({ filters: 2, kernelSize: 3, activation: 'tanh', name: 'shared' });
      return on(dense(2, 'head'), on(tf.layers.flatten(), on(tf.layers.concatenate(), on(shared, left), on(shared, right))));
    }), // prettier-ignore
  },
  {
    name: 'three inputs of different shapes, out of file order',
    ...ofSeveral([[2], [2, 3], [1]], (vector, matrix, scalar) => {
      const flat = on(tf.layers.flatten(), matrix);
      return on(dense(3, 'head'), on(tf.layers.concatenate(), scalar, on(dense(4, 'a', 'tanh'), flat), on(dense(2, 'b'), vector)));
    }), // prettier-ignore
  },
  {
    name: 'a functional model inside another',
    ...of([3], (input) => on(dense(2, 'head'), on(nested('inner'), on(dense(3, 'before', 'tanh'), input)))),
  },
  {
    name: 'a functional model used twice, and a layer of it again outside',
    ...of([3], (input) => {
      const inner = nested('inner');
      return on(dense(2, 'head'), on(inner, on(tf.layers.reLU(), on(inner, input))));
    }),
  },
  {
    name: 'a sequential model inside a functional one inside a sequential one',
    inputShape: [3],
    build: () => {
      const sequential = tf.sequential({
        name: 'steps',
        layers: [tf.layers.dense({ units: 4, inputShape: [3], activation: 'tanh', name: 's1' }), dense(3, 's2')],
      });
      const input = tf.input({ shape: [3] });
      const functional = tf.model({ inputs: input, outputs: on(tf.layers.add(), on(sequential, input), input), name: 'middle' });
      return tf.sequential({ layers: [functional, tf.layers.reLU(), dense(2, 'head')] });
    },
  },
];

const merges: NetworkCase[] = [
  ...(['add', 'average', 'multiply', 'maximum', 'minimum'] as const).map((kind) => ({
    name: `${kind} of three branches that tie`,
    ...of([4], (input) => {
      const branches = ['a', 'b', 'c'].map((name) => on(tf.layers.reLU(), on(dense(5, name), input)));
      return on(dense(3, 'head'), on(tf.layers[kind](), ...branches));
    }),
  })),
  {
    name: 'attention of one head by dot products and a softmax inside',
    ...of([4, 3], (input) => {
      const [query, value] = ['query', 'value'].map((name) => on(dense(5, name), input));
      // A bias of the keys would have no influence: it shifts all scores of a query alike.
      const key = on(tf.layers.dense({ units: 5, name: 'key', useBias: false }), input);
      const scores = on(tf.layers.dot({ axes: 2 }), query, key);
      const mixed = on(tf.layers.dot({ axes: [2, 1] }), on(tf.layers.softmax({ axis: -1 }), scores), value);
      return on(dense(2, 'head'), on(tf.layers.flatten(), mixed));
    }),
  },
  {
    name: 'cosine of two branches',
    ...of([4], (input) => {
      const cosine = on(tf.layers.dot({ axes: 1, normalize: true }), on(dense(3, 'a'), input), on(dense(3, 'b'), input));
      return on(dense(2, 'head'), cosine);
    }),
  },
  {
    name: 'an embedding of tokens',
    vocabulary: 6,
    ...of([5], (input) => {
      const tokens = on(tf.layers.embedding({ inputDim: 6, outputDim: 3, inputLength: 5, name: 'tokens' }), input);
      return on(dense(2, 'head'), on(dense(4, 'hidden', 'tanh'), on(tf.layers.flatten(), tokens)));
    }),
  },
  {
    name: 'an embedding that two inputs share',
    vocabulary: 5,
    ...ofSeveral([[3], [4]], (left, right) => {
      const shared = tf.layers.embedding({ inputDim: 5, outputDim: 2, name: 'tokens' });
      const sides = [left, right].map((side) => on(tf.layers.flatten(), on(shared, side)));
      return on(dense(2, 'head'), on(dense(4, 'hidden', 'tanh'), on(tf.layers.concatenate(), ...sides)));
    }), // prettier-ignore
  },
];

/** Recurrent layers, and layers without a rule of their own, which tf.js differentiates. */
const differentiated: NetworkCase[] = [
  ...(['simpleRNN', 'gru', 'lstm'] as const).map((kind) => ({
    name: `${kind} over a sequence, with a dense layer at every step before it`,
    ...of([4, 3], (input) => on(dense(2, 'head'), on(tf.layers[kind]({ units: 3, name: 'recurrent' }), on(dense(2, 'before'), input)))),
  })),
  {
    name: 'two recurrent layers, the first with all its steps, dropout and another activation',
    ...of([3, 2], (input) => {
      const steps = tf.layers.lstm({ units: 3, returnSequences: true, dropout: 0.3, recurrentActivation: 'hardSigmoid', name: 'first' });
      return on(dense(2, 'head'), on(tf.layers.gru({ units: 2, name: 'second' }), on(steps, input)));
    }),
  },
  {
    name: 'a recurrent layer that is given its first state',
    ...ofSeveral([[3, 2], [2]], (sequence, vector) => {
      const recurrent = tf.layers.simpleRNN({ units: 3, name: 'recurrent' });
      return on(dense(2, 'head'), recurrent.apply([sequence, on(dense(3, 'state'), vector)]) as Symbolic);
    }), // prettier-ignore
  },
  {
    name: 'recurrent layers backwards',
    ...of([3, 2], (input) => {
      const steps = tf.layers.lstm({ units: 3, returnSequences: true, goBackwards: true, name: 'first' });
      return on(
        dense(2, 'head'),
        on(tf.layers.simpleRNN({ units: 2, goBackwards: true, useBias: false, name: 'second' }), on(steps, input)),
      );
    }),
  },
  {
    name: 'a bidirectional recurrent layer',
    ...of([3, 2], (input) => {
      const both = tf.layers.bidirectional({ layer: tf.layers.lstm({ units: 2 }) as tf.RNN, mergeMode: 'concat', name: 'both' });
      return on(dense(2, 'head'), on(both, on(dense(3, 'before'), input)));
    }),
  },
  ...(['sum', 'mul', 'ave'] as const).map((mergeMode) => ({
    name: `a bidirectional recurrent layer with all its steps, ${mergeMode}`,
    ...of([3, 2], (input) => {
      const layer = tf.layers.gru({ units: 2, returnSequences: true, name: 'inner' }) as tf.RNN;
      const both = tf.layers.bidirectional({ layer, mergeMode: mergeMode as never, name: 'both' });
      return on(dense(2, 'head'), on(tf.layers.flatten(), on(both, on(dense(3, 'before'), input))));
    }),
  })),
  {
    name: 'a dense layer at every time step',
    ...of([3, 2], (input) => {
      const steps = tf.layers.timeDistributed({ layer: tf.layers.dense({ units: 3, activation: 'tanh' }), name: 'steps' });
      return on(dense(2, 'head'), on(tf.layers.flatten(), on(steps, on(dense(2, 'before'), input))));
    }),
  },
  {
    name: 'a convolution with an activation, and batch normalisation, at every time step',
    ...of([3, 4, 4, 2], (input) => {
      const convolution = tf.layers.conv2d({ filters: 2, kernelSize: 3, activation: 'tanh' });
      const steps = on(tf.layers.timeDistributed({ layer: convolution, name: 'steps' }), input);
      const norm = on(tf.layers.timeDistributed({ layer: tf.layers.batchNormalization({}), name: 'norm' }), steps);
      return on(dense(2, 'head'), on(tf.layers.flatten(), norm));
    }),
  },
  {
    name: 'a recurrent layer over the characters of every word',
    ...of([3, 4, 2], (input) => {
      const words = tf.layers.timeDistributed({ layer: tf.layers.gru({ units: 2 }), name: 'words' });
      return on(dense(2, 'head'), on(tf.layers.flatten(), on(words, on(dense(3, 'before'), input))));
    }),
  },
  {
    name: 'a convolution over three dimensions',
    ...of([3, 3, 3, 1], (input) => {
      const volume = tf.layers.conv3d({ filters: 2, kernelSize: 2, activation: 'tanh', name: 'volume' });
      return on(dense(2, 'head'), on(tf.layers.flatten(), on(volume, input)));
    }),
  },
];

/** Models that are not chains, layers with several inputs, and layers that tf.js differentiates. */
export const GRAPH_CASES: readonly NetworkCase[] = [...graphs, ...merges, ...differentiated];
