import { inferenceService, type ModelInferRequestInit } from '@sublace/protocol/inference';
import { datatypes, hostileNames, hostileShapes, wrongDatatypes } from './conformance-hostile.ts';
import { mutateBytes, type Random } from './conformance-random.ts';

/** A message that may be anything. */
export interface FuzzedGrpcRequest {
  readonly kind: string;
  /** Path of the method. */
  readonly path: string;
  readonly message: Buffer;
}

const contentsFields = [
  'boolContents',
  'intContents',
  'int64Contents',
  'uintContents',
  'uint64Contents',
  'fp32Contents',
  'fp64Contents',
] as const;
const methods = Object.values(inferenceService);
const inferPath = inferenceService.ModelInfer.path;

/**
 * Requests by gRPC about the model `toy` with the input [N, 1].
 *
 * @param random  Numbers: the same ones, the same requests.
 * @returns  The next request.
 */
export function fuzzedGrpcRequest(random: Random): FuzzedGrpcRequest {
  const infer = (change: Partial<ModelInferRequestInit> = {}): Buffer =>
    inferenceService.ModelInfer.requestSerialize({ ...goodRequest(random), ...change });
  const kinds: [string, () => Partial<FuzzedGrpcRequest>][] = [
    ['bytes', () => ({ message: mutateBytes(random, infer()) })],
    ['raw', () => ({ message: infer({ rawInputContents: hostileContents(random) }) })],
    ['shape', () => ({ message: infer({ inputs: [{ name: 'input', datatype: 'FP32', shape: [...random.pick(hostileShapes)] }] }) })],
    ['datatype', () => ({ message: infer({ inputs: [{ name: 'input', datatype: anyDatatype(random), shape: [1, 1] }] }) })],
    ['typed', () => ({ message: infer(typedRequest(random)) })],
    ['names', () => ({ message: infer(withHostileNames(random)) })],
    ['no message', () => ({ message: random.bytes(random.below(200)) })],
    ['another call', () => ({ path: random.pick(methods).path, message: random.chance(0.5) ? infer() : random.bytes(random.below(40)) })],
    [
      'unknown call',
      () => ({ path: `/inference.GRPCInferenceService/${random.pick(['ModelStreamInfer', '__proto__', 'x'.repeat(500)])}` }),
    ],
  ];
  const [kind, make] = random.pick(kinds);
  return { kind, path: inferPath, message: infer(), ...make() };
}

function goodRequest(random: Random): ModelInferRequestInit {
  const count = 1 + random.below(4);
  return {
    modelName: 'toy',
    id: 'fuzz',
    inputs: [{ name: 'input', datatype: 'FP32', shape: [count, 1] }],
    outputs: random.chance(0.5) ? [{ name: 'mean' }] : [],
    rawInputContents: [Buffer.from(Float32Array.from({ length: count }, () => random.next()).buffer)],
  };
}

function hostileContents(random: Random): Buffer[] {
  return random.pick([
    () => [random.bytes(random.below(64))],
    () => [Buffer.from(Float32Array.from({ length: 1 + random.below(4) }, () => random.pick([NaN, Infinity, -Infinity])).buffer)],
    () => [],
    () => Array.from({ length: 2 + random.below(50) }, () => random.bytes(4)),
    () => [Buffer.alloc(2 ** 20 + random.below(8))],
  ])();
}

function anyDatatype(random: Random): string {
  return random.pick([...datatypes, ...wrongDatatypes]);
}

function typedRequest(random: Random): Partial<ModelInferRequestInit> {
  const values = Array.from({ length: random.below(5) }, () => random.pick([0, 1, 0.5, -1, NaN, Infinity, 2 ** 40]));
  const contents = { [random.pick(contentsFields)]: values.map((value) => (Number.isInteger(value) ? value : 1)) };
  const floats = { fp32Contents: values };
  const shape = random.chance(0.5) ? [Math.max(values.length, 1), 1] : [...random.pick(hostileShapes)];
  return {
    rawInputContents: random.chance(0.2) ? [random.bytes(4)] : [],
    inputs: [{ name: 'input', datatype: anyDatatype(random), shape, contents: random.chance(0.5) ? contents : floats }],
  };
}

function withHostileNames(random: Random): Partial<ModelInferRequestInit> {
  const name = (): string => random.pick(hostileNames);
  return random.pick<() => Partial<ModelInferRequestInit>>([
    () => ({ modelName: name() }),
    () => ({ modelVersion: name() }),
    () => ({ outputs: [{ name: name() }] }),
    () => ({ outputs: Array.from({ length: 2 + random.below(500) }, () => ({ name: 'mean' })) }),
    () => ({ id: name() }),
    () => ({ inputs: [{ name: name(), datatype: 'FP32', shape: [1, 1] }] }),
    () => ({ inputs: Array.from({ length: random.below(1000) }, () => ({ name: 'input', datatype: 'FP32', shape: [1, 1] })) }),
    () => ({ parameters: { [name()]: { stringParam: name() } } }),
    () => ({ parameters: { seed: random.pick([{ int64Param: -1 }, { doubleParam: NaN }, { stringParam: 'x' }, {}]) } }),
  ])();
}
