import { inferenceService } from '@sublace/protocol/inference';

/** How tensors travel. */
export type Encoding = 'rest-json' | 'rest-binary' | 'grpc';

/** All of them. */
export const ENCODINGS: readonly Encoding[] = ['rest-json', 'rest-binary', 'grpc'];

/** What is asked. */
export interface InferenceAsked {
  readonly model: string;
  /** Name of the input. */
  readonly input: string;
  readonly shape: readonly number[];
  /** Row-major. */
  readonly values: Float32Array;
  /** Names of outputs; empty for the model's own choice. */
  readonly outputs: readonly string[];
  readonly parameters?: Readonly<Record<string, string | number>>;
}

/**
 * One request as bytes for the wire: HTTP head and body, or the gRPC message with its prefix.
 *
 * @param encoding  Protocol, and for REST whether tensors are JSON or bytes, both ways.
 * @param asked  The inference.
 * @returns  For `LoadConnection.send`.
 */
export function requestBody(encoding: Encoding, asked: InferenceAsked): Buffer {
  if (encoding === 'grpc') return grpcMessage(asked);
  const { model, input: name, shape, values, outputs, parameters = {} } = asked;
  const isBinary = encoding === 'rest-binary';
  const input = { name, datatype: 'FP32', shape };
  const json = Buffer.from(
    JSON.stringify({
      inputs: [isBinary ? { ...input, parameters: { binary_data_size: values.byteLength } } : { ...input, data: Array.from(values) }],
      ...(outputs.length > 0 && { outputs: outputs.map((output) => ({ name: output, parameters: { binary_data: isBinary } })) }),
      parameters: { ...parameters, ...(isBinary && { binary_data_output: true }) },
    }),
  );
  const tail = isBinary ? bytesOf(values) : Buffer.alloc(0);
  const head = [
    `POST /v2/models/${model}/infer HTTP/1.1`,
    'Host: 127.0.0.1',
    ...(isBinary ? [`Inference-Header-Content-Length: ${json.length}`] : ['Content-Type: application/json']),
    `Content-Length: ${json.length + tail.length}`,
  ];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), json, tail]);
}

function grpcMessage({ model, input, shape, values, outputs, parameters = {} }: InferenceAsked): Buffer {
  const message = inferenceService.ModelInfer.requestSerialize({
    modelName: model,
    inputs: [{ name: input, datatype: 'FP32', shape: [...shape] }],
    outputs: outputs.map((name) => ({ name })),
    parameters: Object.fromEntries(
      Object.entries(parameters).map(([name, value]) => [name, typeof value === 'string' ? { stringParam: value } : { int64Param: value }]),
    ),
    rawInputContents: [bytesOf(values)],
  });
  const prefix = Buffer.alloc(5); // not compressed, and the length
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

function bytesOf(values: Float32Array): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}
