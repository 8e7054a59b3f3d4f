import * as tf from '@tensorflow/tfjs';

/** A small model of tf.js layers. */
export interface NetworkCase {
  readonly name: string;
  readonly inputShape: number[];
  readonly build: () => tf.LayersModel;
  /** The runtime that can differentiate it, where others of tf.js cannot. */
  readonly oracle?: 'tensorflow';
  /** Inputs are whole numbers below this one. */
  readonly vocabulary?: number;
}

type ActivationName = NonNullable<Parameters<typeof tf.layers.activation>[0]>['activation'];

const ACTIVATION_NAMES = [
  'elu', 'hardSigmoid', 'linear', 'relu', 'relu6', 'selu', 'sigmoid', 'softplus', 'softsign', 'tanh', 'swish', 'mish', 'gelu', 'gelu_new',
] as const; // prettier-ignore

/** The layers in a row, after an input of the given shape. */
function chain(inputShape: number[], layers: () => tf.layers.Layer[]): Omit<NetworkCase, 'name'> {
  return {
    inputShape,
    build: () => {
      const input = tf.input({ shape: inputShape });
      const output = layers().reduce((value, layer) => layer.apply(value) as tf.SymbolicTensor, input);
      return tf.model({ inputs: input, outputs: output });
    },
  };
}

const head = (units = 3): tf.layers.Layer => tf.layers.dense({ units, name: 'head' });

const activations: NetworkCase[] = ACTIVATION_NAMES.map((activation) => ({
  name: `dense with ${activation}`,
  ...chain([4], () => [tf.layers.dense({ units: 5, activation: activation as ActivationName, name: 'hidden' }), head()]),
}));

const convolutions: NetworkCase[] = (
  [
    { kernelSize: 3, strides: 1, padding: 'same' },
    { kernelSize: [3, 2], strides: [1, 2], padding: 'valid' },
    { kernelSize: 3, strides: 2, padding: 'same' },
    { kernelSize: 1, strides: 2, padding: 'valid', useBias: false },
    { kernelSize: [2, 3], strides: [2, 1], padding: 'same', activation: 'tanh' },
  ] as const
).map((options) => ({
  name: `conv2d ${JSON.stringify(options)}`,
  ...chain([6, 5, 2], () => [
    tf.layers.conv2d({ filters: 3, ...options, name: 'first' } as Parameters<typeof tf.layers.conv2d>[0]),
    tf.layers.conv2d({ filters: 4, ...options, kernelSize: 2, name: 'second' } as Parameters<typeof tf.layers.conv2d>[0]),
    tf.layers.flatten(),
    head(),
  ]),
}));

const poolings: NetworkCase[] = (
  [
    { poolSize: 2, padding: 'valid' },
    { poolSize: 2, padding: 'same' },
    { poolSize: 3, strides: 2, padding: 'same' },
    { poolSize: [2, 3], strides: [1, 2], padding: 'valid' },
  ] as const
).flatMap((options) =>
  (['maxPooling2d', 'averagePooling2d'] as const).map((kind) => ({
    name: `${kind} ${JSON.stringify(options)}`,
    // Elsewhere tf.js's gradient of a padded average divides by the whole window, unlike its own forward pass.
    ...(kind === 'averagePooling2d' && options.padding === 'same' && { oracle: 'tensorflow' as const }),
    ...chain([7, 6, 2], () => [
      tf.layers.conv2d({ filters: 3, kernelSize: 3, padding: 'same', name: 'conv' }),
      tf.layers[kind](options as Parameters<typeof tf.layers.maxPooling2d>[0]),
      tf.layers.flatten(),
      head(),
    ]),
  })),
);

const others: NetworkCase[] = [
  {
    name: 'batch normalisation after conv and after dense',
    ...chain([4, 4, 2], () => [
      tf.layers.conv2d({ filters: 3, kernelSize: 2, name: 'conv', useBias: false }),
      tf.layers.batchNormalization({ name: 'norm' }),
      tf.layers.reLU(),
      tf.layers.flatten(),
      tf.layers.dense({ units: 4, name: 'hidden' }),
      tf.layers.batchNormalization({ name: 'norm2' }),
      head(),
    ]),
  },
  {
    name: 'zero padding, leaky ReLU, dropout, global average pooling',
    ...chain([3, 4, 2], () => [
      tf.layers.zeroPadding2d({ padding: [[1, 2], [0, 1]] }), // prettier-ignore
      tf.layers.conv2d({ filters: 4, kernelSize: 3, name: 'conv' }),
      tf.layers.leakyReLU({ alpha: 0.2 }),
      tf.layers.dropout({ rate: 0.5 }),
      tf.layers.globalAveragePooling2d({}),
      head(),
    ]),
  },
  {
    name: 'global max pooling, ELU, reshape',
    ...chain([4, 4, 2], () => [
      tf.layers.conv2d({ filters: 6, kernelSize: 3, name: 'conv' }),
      tf.layers.elu(),
      tf.layers.globalMaxPooling2d({}),
      tf.layers.reshape({ targetShape: [3, 2] }),
      tf.layers.flatten(),
      head(),
    ]),
  },
  {
    name: 'softmax inside the network',
    ...chain([4], () => [tf.layers.dense({ units: 5, name: 'hidden' }), tf.layers.softmax(), head()]),
  },
  {
    name: 'residual add and concatenation of branches',
    inputShape: [4, 4, 2],
    build: () => {
      const input = tf.input({ shape: [4, 4, 2] });
      const conv = (name: string): tf.layers.Layer =>
        tf.layers.conv2d({ filters: 2, kernelSize: 3, padding: 'same', activation: 'tanh', name });
      const first = conv('first').apply(input) as tf.SymbolicTensor;
      const second = conv('second').apply(first) as tf.SymbolicTensor;
      const sum = tf.layers.add().apply([first, second, input]) as tf.SymbolicTensor;
      const joined = tf.layers.concatenate().apply([sum, first]) as tf.SymbolicTensor;
      const flat = tf.layers.flatten().apply(joined) as tf.SymbolicTensor;
      return tf.model({ inputs: input, outputs: tf.layers.dense({ units: 3, name: 'head' }).apply(flat) as tf.SymbolicTensor });
    },
  },
];

/** Layers that tf.js has and can differentiate; those that it cannot have a plain twin only. */
const breadth: NetworkCase[] = [
  {
    name: 'convolution, pooling and global pooling of sequences',
    ...chain([9, 2], () => [
      tf.layers.conv1d({ filters: 3, kernelSize: 3, strides: 2, padding: 'same', name: 'first' }),
      tf.layers.maxPooling1d({ poolSize: 2, strides: 1, padding: 'same' }),
      tf.layers.conv1d({ filters: 4, kernelSize: 2, activation: 'tanh', name: 'second' }),
      tf.layers.averagePooling1d({ poolSize: 2, strides: 1 }),
      tf.layers.globalAveragePooling1d({}),
      head(),
    ]),
  },
  {
    name: 'dense on a sequence, layer normalisation, global max pooling',
    ...chain([4, 3], () => [
      tf.layers.dense({ units: 5, activation: 'gelu_new' as ActivationName, name: 'first' }),
      tf.layers.layerNormalization({ name: 'norm' }),
      tf.layers.dense({ units: 4, name: 'second' }),
      tf.layers.layerNormalization({ axis: [1, 2], name: 'norm2' }),
      tf.layers.globalMaxPooling1d({}),
      head(),
    ]),
  },
  {
    name: 'depthwise and separable convolutions',
    ...chain([7, 6, 2], () => [
      tf.layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, padding: 'same', name: 'depthwise' }),
      tf.layers.separableConv2d({ filters: 3, kernelSize: 2, strides: 2, depthMultiplier: 2, activation: 'relu', name: 'separable' }),
      tf.layers.flatten(),
      head(),
    ]),
  },
  ...(['same', 'valid'] as const).map((padding) => ({
    name: `transposed convolution, ${padding}`,
    ...chain([3, 4, 2], () => [
      tf.layers.conv2dTranspose({ filters: 3, kernelSize: [3, 2], strides: [2, 1], padding, activation: 'tanh', name: 'up' }),
      tf.layers.conv2dTranspose({ filters: 2, kernelSize: 2, strides: 3, padding, name: 'up2' }),
      tf.layers.flatten(),
      head(),
    ]),
  })),
  ...(['nearest', 'bilinear'] as const).map((interpolation) => ({
    name: `up-sampling, ${interpolation}, cropping, learned slopes, permutation`,
    // Elsewhere tf.js's gradient of an interpolation swaps the sides of the image.
    ...(interpolation === 'bilinear' && { oracle: 'tensorflow' as const }),
    ...chain([3, 2, 2], () => [
      tf.layers.conv2d({ filters: 3, kernelSize: 2, padding: 'same', name: 'conv' }),
      tf.layers.upSampling2d({ size: [2, 3], interpolation }),
      tf.layers.cropping2D({ cropping: [[1, 0], [2, 1]] }), // prettier-ignore
      tf.layers.prelu({ sharedAxes: [1, 2], name: 'slopes' }),
      tf.layers.permute({ dims: [3, 1, 2] }),
      tf.layers.flatten(),
      head(),
    ]),
  })),
  {
    name: 'rescaling, repeated vector, softmax of a sequence, reshape with an open extent',
    ...chain([4], () => [
      tf.layers.rescaling({ scale: 0.5, offset: 0.1 }),
      tf.layers.dense({ units: 3, name: 'hidden' }),
      tf.layers.repeatVector({ n: 2 }),
      tf.layers.dense({ units: 4, name: 'second' }),
      tf.layers.softmax({ axis: -1 }),
      tf.layers.prelu({ name: 'slopes' }),
      tf.layers.reshape({ targetShape: [4, 2] }),
      tf.layers.flatten(),
      head(),
    ]),
  },
  ...(['maxPooling3d', 'averagePooling3d'] as const).map((kind) => ({
    name: `${kind} between a convolution over three dimensions and a dense layer`,
    // On WebAssembly maxima of negative numbers are wrong, and the layer is refused.
    ...(kind === 'maxPooling3d' && { oracle: 'tensorflow' as const }),
    ...chain([4, 4, 4, 1], () => [
      tf.layers.conv3d({ filters: 2, kernelSize: 2, name: 'volume' }),
      tf.layers[kind]({ poolSize: 2, strides: 1 }),
      tf.layers.flatten(),
      head(),
    ]),
  })),
  {
    name: 'convolutional and plain recurrent cells',
    ...chain([2, 3, 3, 1], () => [
      tf.layers.convLstm2d({ filters: 2, kernelSize: 2, name: 'recurrent' }),
      tf.layers.reshape({ targetShape: [4, 2] }),
      tf.layers.rnn({ cell: [tf.layers.gruCell({ units: 2 }), tf.layers.lstmCell({ units: 3 })], name: 'cells' }),
      head(),
    ]),
  },
];

/** Every supported layer, each in a model small enough to differentiate one output at a time. */
export const CASES: readonly NetworkCase[] = [...activations, ...convolutions, ...poolings, ...others, ...breadth];
