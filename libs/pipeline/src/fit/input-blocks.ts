import { SublaceError } from '@sublace/errors';
import type { Block } from '@sublace/partials';

/**
 * Joins the chunks of a vector that a task was given.
 *
 * @param inputs  Blocks of the task.
 * @param name  Name of the vector, without the chunk number.
 * @returns  The vector, or undefined when there is no chunk of it.
 */
export function vectorOf(inputs: readonly Block[], name: string): Float64Array | undefined {
  const chunkNumber = (block: Block): number => Number(block.name.slice(name.length + 1));
  const chunks = inputs.filter((block) => block.name.startsWith(`${name}/`)).sort((a, b) => chunkNumber(a) - chunkNumber(b));
  if (chunks.length === 0) return undefined;
  const vector = new Float64Array(chunks.reduce((sum, block) => sum + block.data.length, 0));
  let at = 0;
  for (const { data } of chunks) {
    vector.set(data, at);
    at += data.length;
  }
  return vector;
}

/**
 * The subnetwork's indices that a task was given.
 *
 * @param inputs  Blocks of the task.
 * @returns  [S], ascending.
 * @throws {SublaceError} INTERNAL when they are missing.
 */
export function indicesOf(inputs: readonly Block[]): Int32Array {
  return indicesBlock(inputs, 'indices/0');
}

/**
 * The indices of a smaller subnetwork that is fitted along.
 *
 * @param inputs  Blocks of the task.
 * @param size  Its S.
 * @returns  [S], ascending.
 * @throws {SublaceError} INTERNAL when they are missing.
 */
export function smallerIndicesOf(inputs: readonly Block[], size: number): Int32Array {
  return indicesBlock(inputs, `smaller/${size}`);
}

function indicesBlock(inputs: readonly Block[], name: string): Int32Array {
  const block = inputs.find((candidate) => candidate.name === name);
  if (block?.data instanceof Int32Array) return block.data;
  throw new SublaceError('INTERNAL', `expected the subnetwork indices '${name}' among the inputs, got none`);
}

/**
 * A vector that a task was given.
 *
 * @param inputs  Blocks of the task.
 * @param name  Name of the vector.
 * @returns  The vector.
 * @throws {SublaceError} INTERNAL when it is missing.
 */
export function requiredVector(inputs: readonly Block[], name: string): Float64Array {
  const vector = vectorOf(inputs, name);
  if (!vector)
    throw new SublaceError(
      'INTERNAL',
      `expected '${name}' among the inputs, got ${inputs.map((block) => block.name).join(', ') || 'none'}`,
    );
  return vector;
}
