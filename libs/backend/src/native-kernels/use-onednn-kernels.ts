import * as tf from '@tensorflow/tfjs';

/** The part of the addon's backend through which its kernels run their operation. */
interface NativeBackend {
  readonly binding: { readonly TF_ATTR_STRING: number };
  executeSingleOutput(name: string, attributes: Attribute[], inputs: tf.TensorInfo[]): tf.Tensor;
}
interface Attribute {
  readonly name: string;
  readonly type?: number;
  readonly value: unknown;
}

/** TensorFlow's operations for which it has a second kernel made of oneDNN's, and that kernel's name. */
const ONEDNN_NAMES: Readonly<Record<string, string>> = {
  Conv2D: '_MklNativeConv2D',
  Conv2DBackpropInput: '_MklNativeConv2DBackpropInput',
  Conv2DBackpropFilter: '_MklNativeConv2DBackpropFilter',
  BatchMatMulV2: '_MklBatchMatMulV2',
};

/** Multiply-adds below which a matrix product takes longer to set up than to compute. */
const PRODUCT_SIZE_MIN = 2 ** 20;

let used: readonly string[] | undefined;

/**
 * Lets the native backend use oneDNN's kernels for convolutions and large float32 matrix products on a CPU: convolutions with few channels run some seven
 * times as fast, products of long panels by a quarter faster, with the same strict float32 arithmetic.
 *
 * They are asked for one by one, by name. `TF_ENABLE_ONEDNN_OPTS=1` would use them everywhere, but then the library writes two lines to standard
 * error in every process, which no log level silences. A kernel that this build of TensorFlow lacks is left alone.
 *
 * @returns  Names of the operations that now run on oneDNN. Does nothing a second time.
 */
export function useOnednnKernels(): readonly string[] {
  if (used) return used;
  const backend = tf.backend() as unknown as NativeBackend;
  const original = backend.executeSingleOutput.bind(backend);
  const label: Attribute = { name: '_kernel', type: backend.binding.TF_ATTR_STRING, value: 'MklNameChangeOp' };
  const available = new Set(Object.keys(ONEDNN_NAMES));
  backend.executeSingleOutput = (name, attributes, inputs) =>
    available.has(name) && isWorthIt(name, attributes, inputs)
      ? original(ONEDNN_NAMES[name], [...attributes, label], inputs)
      : original(name, attributes, inputs);
  for (const [name, probe] of Object.entries(PROBES)) {
    try {
      tf.tidy(probe);
    } catch {
      available.delete(name);
    }
  }
  used = [...available];
  return used;
}

/** One small operation of each kind, large enough to be worth it. */
const PROBES: Readonly<Record<string, () => tf.Tensor>> = {
  Conv2D: () => tf.conv2d(image(), filter(), 1, 'same'),
  Conv2DBackpropInput: () => tf.conv2dTranspose(image(), filter(), [1, 4, 4, 1], 1, 'same'),
  Conv2DBackpropFilter: () => tf.grad((kernel) => tf.conv2d(image(), kernel as tf.Tensor4D, 1, 'same'))(filter()),
  BatchMatMulV2: () => tf.matMul(tf.ones([128, 128]), tf.ones([128, 128])),
};

const image = (): tf.Tensor4D => tf.ones([1, 4, 4, 1]);
const filter = (): tf.Tensor4D => tf.ones([3, 3, 1, 1]);

function isWorthIt(name: string, attributes: readonly Attribute[], inputs: readonly tf.TensorInfo[]): boolean {
  if (inputs.some((input) => input.dtype !== 'float32' && input.shape.length > 1)) return false;
  if (name !== 'BatchMatMulV2') return attributes.every(isSafe);
  const [a, b] = inputs;
  const isTransposed = attributes.some((attribute) => attribute.name === 'adj_x' && attribute.value === true);
  const size = (shape: readonly number[]): number => shape.reduce((product, extent) => product * extent, 1);
  const inner = a.shape[a.shape.length - (isTransposed ? 2 : 1)];
  return (size(a.shape) * size(b.shape)) / Math.max(1, inner * size(b.shape.slice(0, -2))) >= PRODUCT_SIZE_MIN;
}

/**
 * Whether oneDNN's convolutions are right with this attribute: with a vertical stride of 1, a larger horizontal one and a single output column, they leave out
 * all rows but the first.
 */
function isSafe({ name, value }: Attribute): boolean {
  if (name === 'data_format') return value === 'NHWC';
  if (name !== 'strides') return true;
  const [, down, across] = value as readonly number[];
  return down === across;
}
