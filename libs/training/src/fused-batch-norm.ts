import * as tf from '@tensorflow/tfjs';
import { variablesOf } from './model-variables.ts';

/** The part of the native tf.js backend that runs any TensorFlow operation. */
interface NativeBackend {
  readonly binding: Readonly<Record<'TF_ATTR_TYPE' | 'TF_ATTR_FLOAT' | 'TF_ATTR_STRING' | 'TF_ATTR_BOOL' | 'TF_FLOAT', number>>;
  executeMultipleOutputs(name: string, attributes: object[], inputs: tf.Tensor[], outputCount: number): tf.Tensor[];
}

type LayerCall = tf.layers.Layer['call'];

/**
 * Lets the batch norm layers of a model train with TensorFlow's fused operations, one forward and one backward, where tf.js composes some forty
 * passes over the activations; they take half of a residual network's step. Only on the native backend, for images normalised over their last
 * axis; elsewhere layers stay as they are. The moving variance then averages unbiased batch variances, as in other frameworks.
 *
 * @param model  Model to train. Its layers behave differently until the returned function is called.
 * @returns  A function that undoes it.
 */
export function useFusedBatchNorm(model: tf.LayersModel): () => void {
  if (tf.getBackend() !== 'tensorflow') return () => undefined;
  const undo = model.layers.filter(isFusible).map((layer) => {
    // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its layer below
    const original = layer.call;
    const fused = fusedCall(layer);
    layer.call = (inputs, kwargs) => (kwargs['training'] === true ? fused(inputs, kwargs) : original.call(layer, inputs, kwargs));
    return () => {
      layer.call = original;
    };
  });
  return () => {
    for (const restore of undo) restore();
  };
}

function isFusible(layer: tf.layers.Layer): boolean {
  if (layer.getClassName() !== 'BatchNormalization' || layer.inboundNodes.length !== 1) return false;
  const { axis, scale, center } = layer.getConfig() as { axis: number; scale: boolean; center: boolean };
  return layer.input instanceof tf.SymbolicTensor && layer.input.rank === 4 && (axis === -1 || axis === 3) && scale && center;
}

function fusedCall(layer: tf.layers.Layer): LayerCall {
  const { momentum, epsilon } = layer.getConfig() as { momentum: number; epsilon: number };
  return (inputs) => {
    const x = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor4D;
    const [gamma, beta, movingMean, movingVariance] = variablesOf(layer.weights);
    const onStatistics = (mean: tf.Tensor, variance: tf.Tensor): void => {
      movingMean.assign(movingMean.mul(momentum).add(mean.mul(1 - momentum)));
      movingVariance.assign(movingVariance.mul(momentum).add(variance.mul(1 - momentum)));
    };
    return fusedBatchNorm(x, gamma as tf.Tensor1D, beta as tf.Tensor1D, epsilon, onStatistics);
  };
}

/**
 * Batch norm by the statistics of the batch, differentiable, on the native backend.
 *
 *   y = gamma (x - mean) / sqrt(variance + epsilon) + beta        (Ioffe and Szegedy 2015, arXiv:1502.03167, algorithm 1)
 *
 * @param x  Activations, [N, H, W, C]. Borrowed.
 * @param gamma  Scales, [C]. Borrowed.
 * @param beta  Shifts, [C]. Borrowed.
 * @param epsilon  Added to the variance.
 * @param onStatistics  Told the batch's mean [C] and unbiased variance [C], which live only during the call.
 * @returns  [N, H, W, C]. Owned by the caller.
 */
export function fusedBatchNorm(
  x: tf.Tensor4D,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  epsilon: number,
  onStatistics: (mean: tf.Tensor, variance: tf.Tensor) => void,
): tf.Tensor4D {
  const backend = tf.backend() as unknown as NativeBackend;
  const { binding } = backend;
  const attributes = [
    { name: 'T', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
    { name: 'U', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
    { name: 'epsilon', type: binding.TF_ATTR_FLOAT, value: epsilon },
    { name: 'data_format', type: binding.TF_ATTR_STRING, value: 'NHWC' },
    { name: 'is_training', type: binding.TF_ATTR_BOOL, value: true },
  ];
  const operation = tf.customGrad((...args) => {
    const [input, scale, shift] = args as tf.Tensor[];
    const save = args[3] as unknown as tf.GradSaveFunc;
    const nothing = tf.tensor1d([]); // no statistics from outside: the batch has its own
    const [y, mean, variance, ...reserved] = backend.executeMultipleOutputs(
      'FusedBatchNormV3',
      attributes,
      [input, scale, shift, nothing, nothing],
      6,
    );
    onStatistics(mean, variance);
    save([input, scale, ...reserved]);
    return {
      value: y,
      gradFunc: (dy, saved) => {
        const [savedX, savedScale, ...savedReserved] = saved;
        const inputs = [dy, savedX, savedScale, ...savedReserved];
        return backend.executeMultipleOutputs('FusedBatchNormGradV3', attributes, inputs, 5).slice(0, 3);
      },
    };
  });
  return operation(x, gamma, beta) as tf.Tensor4D;
}
