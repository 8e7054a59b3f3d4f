import * as tf from '@tensorflow/tfjs';
import { SublaceError } from '@sublace/errors';

/** One entry of a weights manifest: name, shape, dtype, and quantisation if any. */
type WeightSpec = tf.io.WeightsManifestEntry;

/** Bytes of one element of each stored type. */
const ELEMENT_BYTES: Readonly<Record<string, number>> = { float32: 4, int32: 4, bool: 1, float16: 2, uint8: 1, uint16: 2 };

/** Weight tensors by name, with errors that name the weight. */
export class WeightTable {
  readonly #tensors: Map<string, tf.Tensor>;
  readonly #others: tf.Tensor[] = [];

  /**
   * Decodes a weights file.
   *
   * @param specs  Entries of the manifest, in file order.
   * @param bytes  All weight files, concatenated.
   * @throws {SublaceError} MODEL_INVALID when the size is not the manifest's, two weights have one name, or a weight is not finite.
   */
  constructor(specs: readonly WeightSpec[], bytes: Uint8Array) {
    const expected = specs.reduce((sum, spec) => sum + byteCount(spec), 0);
    if (bytes.byteLength !== expected) {
      throw new SublaceError(
        'MODEL_INVALID',
        `weights: expected ${expected} bytes as in the manifest, got ${bytes.byteLength}; the file is truncated or of another model`,
      );
    }
    const names = new Set<string>();
    for (const { name } of specs) {
      if (names.has(withoutOutput(name))) throw new SublaceError('MODEL_INVALID', `weights: expected names to differ, got '${name}' twice`);
      names.add(withoutOutput(name));
    }
    const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
    const decoded = Object.entries(tf.io.decodeWeights(buffer, [...specs]));
    this.#tensors = new Map(decoded.map(([name, tensor]) => [withoutOutput(name), tensor]));
    for (const [name, tensor] of this.#tensors) checkFinite(name, tensor);
  }

  /** Every tensor. */
  get tensors(): tf.Tensor[] {
    return [...this.#tensors.values(), ...this.#others];
  }

  /**
   * A weight of a layer, by `layer/weight` or, in models with nested names, by a name that ends so.
   *
   * @param layer  Layer name.
   * @param weight  Weight name.
   * @returns  The tensor, owned by the table.
   * @throws {SublaceError} MODEL_INVALID when it is missing, or several names end so.
   */
  get(layer: string, weight: string): tf.Tensor {
    return this.first(layer, [weight]);
  }

  /**
   * A weight that goes by different names in files of different origin.
   *
   * @param layer  Layer name.
   * @param names  Weight names, tf.js's own first.
   * @returns  The first of them that is there, owned by the table.
   * @throws {SublaceError} MODEL_INVALID when all are missing, or several names end so.
   */
  first(layer: string, names: readonly string[]): tf.Tensor {
    for (const name of names) {
      const tensor = this.#find(`${layer}/${name}`);
      if (tensor) return tensor;
    }
    throw new SublaceError(
      'MODEL_INVALID',
      `weights: expected '${layer}/${names[0]}', which the model's layers need, got none of that name`,
    );
  }

  /**
   * A weight in another shape.
   *
   * @param weight  The weight.
   * @param shape  Shape with as many elements.
   * @returns  The same numbers, owned by the table.
   */
  reshaped(weight: tf.Tensor, shape: number[]): tf.Tensor {
    const view = tf.reshape(weight, shape);
    this.#others.push(view);
    return view;
  }

  /**
   * Takes over a tensor that is not from the file, so that it is freed with the others.
   *
   * @param tensor  The tensor.
   */
  adopt(tensor: tf.Tensor): void {
    this.#others.push(tensor);
  }

  /**
   * A weight by its whole name, or by a name that ends so.
   *
   * @param name  Name.
   * @returns  The tensor, owned by the table, or nothing.
   * @throws {SublaceError} MODEL_INVALID when several names end so.
   */
  at(name: string): tf.Tensor | undefined {
    return this.#find(name);
  }

  /**
   * A weight of a recurrent layer: Keras puts the cell between the layer and the weight, tf.js does not.
   *
   * @param layer  Layer name.
   * @param weight  Weight name.
   * @returns  The tensor, owned by the table.
   * @throws {SublaceError} MODEL_INVALID when it is missing, or several names end so.
   */
  ofCell(layer: string, weight: string): tf.Tensor {
    const wanted = `${layer}/${weight}`.split('/');
    const isWithoutCell = (found: readonly string[]): boolean => {
      const shortened = [...found.slice(0, -2), ...found.slice(-1)].slice(-wanted.length);
      return shortened.join('/') === wanted.join('/');
    };
    const direct = this.at(wanted.join('/'));
    const tensor = direct ?? [...this.#tensors].find(([name]) => isWithoutCell(name.split('/')))?.[1];
    return tensor ?? this.get(layer, weight);
  }

  #find(wanted: string): tf.Tensor | undefined {
    const exact = this.#tensors.get(wanted);
    if (exact) return exact;
    const matches = [...this.#tensors].filter(([name]) => name.endsWith(`/${wanted}`));
    if (matches.length <= 1) return matches[0]?.[1];
    const names = matches.map(([name]) => name).join(', ');
    throw new SublaceError('MODEL_INVALID', `weights: expected one '${wanted}', got ${names}; give the layers different names`);
  }
}

/** TensorFlow's name of a variable without the number of its output, which some converters keep. */
function withoutOutput(name: string): string {
  return name.replace(/:0$/, '');
}

function byteCount(spec: WeightSpec): number {
  const type = spec.quantization?.dtype ?? spec.dtype;
  if (!(type in ELEMENT_BYTES)) throw new SublaceError('MODEL_UNSUPPORTED', `weight '${spec.name}': expected a numeric type, got ${type}`);
  return spec.shape.reduce((product, extent) => product * extent, 1) * ELEMENT_BYTES[type];
}

function checkFinite(name: string, tensor: tf.Tensor): void {
  const values = tensor.dataSync();
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return;
  const remedy = Number.isNaN(values[bad])
    ? 'train the model again'
    : 'it is beyond float32: train the model again, or save it at another scale';
  throw new SublaceError('MODEL_INVALID', `weight '${name}': expected finite values, got ${values[bad]} at flat index ${bad}; ${remedy}`);
}
