/** The thread for JSON that is too large for the main one: numbers of a request become a tensor here, and tensors of an answer numbers. */
import { parentPort } from 'node:worker_threads';
import { SublaceError } from '@sublace/errors';
import type { InferInput } from '../../inference/infer-request.ts';
import { readInput } from '../../inference/input-tensor.ts';
import type { TensorSpec } from '../../models/model.ts';
import { writeInferAnswer } from '../infer-answer.ts';
import { readInferBody } from '../infer-body.ts';
import type { JsonCall, JsonReply } from './json-messages.ts';

parentPort?.on('message', (call: JsonCall) => {
  try {
    const { reply, memory } = call.type === 'read' ? read(call) : write(call);
    parentPort?.postMessage(reply, memory);
  } catch (thrown) {
    const { code, message } = failureOf(thrown);
    parentPort?.postMessage({ id: call.id, type: 'failed', error: { code, message } } satisfies JsonReply);
  }
});

interface Answer {
  readonly reply: JsonReply;
  readonly memory: ArrayBuffer[];
}

function read({ id, body, headerLength, target }: Extract<JsonCall, { type: 'read' }>): Answer {
  const { inference, binary } = readInferBody(Buffer.from(body.buffer, body.byteOffset, body.byteLength), headerLength, target);
  const inputs = inference.inputs.map((input) => flat(input, target.input));
  const memory = inputs.map(
    ({ contents }) => (contents.kind === 'raw' ? contents.bytes : (contents.values as Float32Array)).buffer as ArrayBuffer,
  );
  return { reply: { id, type: 'read', request: { inference: { ...inference, inputs }, binary } }, memory };
}

/** An input without lists of numbers, which would cross more slowly than they were parsed. One that the model does not have is refused by its name, whatever is in it. */
function flat(input: InferInput, spec: TensorSpec): InferInput {
  if (input.contents.kind === 'raw') return { ...input, contents: { kind: 'raw', bytes: input.contents.bytes.slice() } };
  if (input.name !== spec.name) return { ...input, contents: { kind: 'raw', bytes: new Uint8Array() } };
  return { ...input, contents: { kind: 'checked', values: readInput(input, spec).values } };
}

function write({ id, response, binary }: Extract<JsonCall, { type: 'write' }>): Answer {
  const answer = writeInferAnswer(response, binary);
  const body = answer.body.byteLength === answer.body.buffer.byteLength ? answer.body : new Uint8Array(answer.body);
  return { reply: { id, type: 'written', answer: { ...answer, body } }, memory: [body.buffer as ArrayBuffer] };
}

function failureOf(thrown: unknown): SublaceError {
  // A text of more than half a GiB, which no string holds.
  if (thrown instanceof RangeError && thrown.message.includes('string length'))
    return new SublaceError(
      'RESOURCE_EXHAUSTED',
      'expected outputs that fit in JSON, got more; ask for binary_data, or for fewer examples',
    );
  return SublaceError.from(thrown);
}
