/**
 * Every index of an array, in row-major order.
 *
 * @param shape  Its extents.
 * @returns  One index per element.
 */
export function indicesOf(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>(
    (indices, extent) => indices.flatMap((index) => Array.from({ length: extent }, (_, i) => [...index, i])),
    [[]],
  );
}

/**
 * Flat position of an index.
 *
 * @param shape  Extents.
 * @param index  One per axis.
 * @returns  Row-major position.
 */
export function indexOf(shape: readonly number[], index: readonly number[]): number {
  return index.reduce((flat, i, axis) => flat * shape[axis] + i, 0);
}
