/** Most examples of one form. */
const rowsMax = 1000;

/**
 * Reads examples from text: numbers between commas, semicolons or white space, one example after the other; brackets are ignored, so that
 * JSON can be pasted.
 *
 * @param text  What was typed.
 * @param size  Numbers of one example.
 * @returns  [examples, size] and the number of examples.
 * @throws Error in words when it does not come out even, or something is no number.
 */
export function readNumbers(text: string, size: number): { values: Float32Array; count: number } {
  const parts = text.split(/[\s,;[\]]+/).filter((part) => part !== '');
  if (parts.length === 0) throw new Error(`Expected ${size} ${size === 1 ? 'number' : 'numbers'} for each example, got none.`);
  const numbers = parts.map((part) => {
    const value = Number(part);
    if (!Number.isFinite(value)) throw new Error(`Expected numbers, got '${part.slice(0, 40)}'.`);
    return value;
  });
  if (numbers.length % size !== 0) throw new Error(`Expected ${size} numbers for each example, got ${numbers.length} in all.`);
  const count = numbers.length / size;
  if (count > rowsMax) throw new Error(`Expected at most ${rowsMax} examples, got ${count}.`);
  return { values: Float32Array.from(numbers), count };
}
