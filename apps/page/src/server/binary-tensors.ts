/** A float32 tensor. */
export interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: Float32Array;
}

/** A request body of the Open Inference Protocol's binary-tensor extension: a JSON header, then the bytes. */
export interface BinaryBody {
  readonly body: Blob;
  /** For the header `inference-header-content-length`. */
  readonly headerLength: number;
}

/**
 * Writes an inference request.
 *
 * @param input  Its only input.
 * @param outputs  Names of the outputs wanted, all of them as bytes.
 * @param parameters  Knobs.
 * @returns  The body.
 */
export function encodeRequest(
  input: Tensor,
  outputs: readonly string[],
  parameters: Readonly<Record<string, string | number>> = {},
): BinaryBody {
  const { name, shape, data } = input;
  const header = new TextEncoder().encode(
    JSON.stringify({
      ...(Object.keys(parameters).length > 0 && { parameters }),
      inputs: [{ name, datatype: 'FP32', shape, parameters: { binary_data_size: data.byteLength } }],
      outputs: outputs.map((output) => ({ name: output, parameters: { binary_data: true } })),
    }),
  );
  return { body: new Blob([header, littleEndian(data)]), headerLength: header.length };
}

/** Every machine with a browser is little-endian; this says so where the wire format demands it. */
function littleEndian(data: Float32Array): ArrayBuffer {
  const bytes = new DataView(new ArrayBuffer(data.length * 4));
  data.forEach((value, i) => bytes.setFloat32(4 * i, value, true));
  return bytes.buffer;
}

interface AnswerHeader {
  outputs: { name: string; shape: number[]; data?: number[]; parameters?: { binary_data_size?: number } }[];
}

/**
 * Reads an answer.
 *
 * @param body  All of it.
 * @param headerLength  Header `inference-header-content-length`; null where the answer is JSON only.
 * @returns  Output tensors by name.
 * @throws RangeError when the bytes are fewer than the header promises.
 */
export function decodeAnswer(body: ArrayBuffer, headerLength: number | null): Map<string, Tensor> {
  const end = headerLength ?? body.byteLength;
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(body, 0, end))) as AnswerHeader;
  const outputs = new Map<string, Tensor>();
  let offset = end;
  for (const { name, shape, data, parameters } of header.outputs) {
    const size = parameters?.binary_data_size;
    if (size === undefined) {
      outputs.set(name, { name, shape, data: Float32Array.from(data ?? []) });
      continue;
    }
    const view = new DataView(body, offset, size);
    outputs.set(name, { name, shape, data: Float32Array.from({ length: size / 4 }, (_, i) => view.getFloat32(4 * i, true)) });
    offset += size;
  }
  return outputs;
}
