import type { ModelAnswer, ModelRequest } from '../models/model.ts';

/**
 * Requests as they cross to another thread: memory moves, nothing is copied but an input that is part of something larger, which would be copied
 * as a whole otherwise.
 *
 * @param requests  Their inputs are gone afterwards.
 * @returns  What to send, and the memory that moves with it.
 */
export function requestsToMove(requests: readonly ModelRequest[]): { moved: ModelRequest[]; memory: ArrayBuffer[] } {
  const moved = requests.map((request) => ({ ...request, input: alone(request.input) }));
  return { moved, memory: memoryOf(moved.map(({ input }) => input)) };
}

/**
 * Answers as they cross to another thread.
 *
 * @param answers  Their outputs are gone afterwards.
 * @returns  What to send, and the memory that moves with it.
 */
export function answersToMove(answers: readonly ModelAnswer[]): { moved: ModelAnswer[]; memory: ArrayBuffer[] } {
  const moved = answers.map((answer) =>
    'error' in answer ? answer : { outputs: answer.outputs.map((output) => ({ ...output, data: alone(output.data) })) },
  );
  const outputs = moved.flatMap((answer) => ('error' in answer ? [] : answer.outputs));
  return { moved, memory: memoryOf(outputs.map(({ data }) => data)) };
}

/** A tensor that is all that is in its memory. */
function alone(values: Float32Array): Float32Array {
  return values.byteLength === values.buffer.byteLength ? values : values.slice();
}

/** Each once: two tensors may be the same. */
function memoryOf(tensors: readonly Float32Array[]): ArrayBuffer[] {
  return [...new Set(tensors.map(({ buffer }) => buffer as ArrayBuffer))];
}
