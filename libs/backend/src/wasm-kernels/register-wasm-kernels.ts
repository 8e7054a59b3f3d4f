import * as tf from '@tensorflow/tfjs';
import { conv2dBackpropFilter, type Conv2dBackpropFilterOptions } from './conv2d-backprop-filter.ts';
import { spellOutPadding } from './conv2d-padding.ts';
import { matMulByCopies } from './mat-mul.ts';

let registered: readonly string[] | undefined;

/**
 * Adds to the WebAssembly backend of tf.js 4.22 what training needs and it lacks: the gradient of a convolution in its filter; transposed
 * matrix products at a useful speed; convolutions whose stride is larger than their filter. Does nothing on another backend or a second
 * time. Call once the backend runs.
 *
 * @returns  Names of the kernels that are added or replaced; none on another backend.
 */
export function registerWasmKernels(): readonly string[] {
  if (tf.getBackend() !== 'wasm') return [];
  registered ??= [
    ...add(tf.Conv2DBackpropFilter, ({ inputs, attrs }) => {
      // An operation inside a kernel is not recorded for gradients, and a tensor may stand for a tensor info.
      const { x, dy } = inputs as { x: tf.Tensor4D; dy: tf.Tensor4D };
      return conv2dBackpropFilter(x, dy, attrs as unknown as Conv2dBackpropFilterOptions);
    }),
    ...replace(tf.BatchMatMul, (original) => ({ inputs, attrs, backend }) => {
      const { a, b } = inputs as { a: tf.Tensor; b: tf.Tensor };
      const { transposeA, transposeB } = attrs as unknown as { transposeA: boolean; transposeB: boolean };
      const plain = (left: tf.Tensor, right: tf.Tensor): tf.TensorInfo =>
        original({ inputs: { a: left, b: right }, backend, attrs: { transposeA: false, transposeB: false } }) as tf.TensorInfo;
      return matMulByCopies(a, b, transposeA, transposeB, plain);
    }),
    ...[tf.Conv2D, tf.FusedConv2D, tf.DepthwiseConv2dNative, tf.FusedDepthwiseConv2D].flatMap((name) =>
      replace(name, (original) => ({ inputs, attrs, backend }) => {
        const { x, filter } = inputs as { x: tf.TensorInfo; filter: tf.TensorInfo };
        return original({ inputs, backend, attrs: spellOutPadding(attrs!, x.shape, filter.shape) });
      }),
    ),
  ];
  return registered;
}

/** Registers a kernel that the backend lacks; a newer backend may have its own, which is then kept. */
function add(kernelName: string, kernelFunc: tf.KernelFunc): string[] {
  if (tf.getKernel(kernelName, 'wasm')) return [];
  tf.registerKernel({ kernelName, backendName: 'wasm', kernelFunc });
  return [kernelName];
}

/** Puts a kernel in front of the backend's own. */
function replace(kernelName: string, wrap: (original: tf.KernelFunc) => tf.KernelFunc): string[] {
  const config = tf.getKernel(kernelName, 'wasm');
  if (!config) return [];
  tf.unregisterKernel(kernelName, 'wasm');
  tf.registerKernel({ ...config, kernelFunc: wrap(config.kernelFunc) });
  return [kernelName];
}
