import type { ModelRequest } from '../models/model.ts';

/** Draws that cost about what an example does in a batch. */
const drawsPerExample = 1000;

/**
 * What a request counts for in a batch: its examples, and one more for every 1,000 draws that it asks for (parameter `samples`). Draws are computed for each
 * request alone, so a batch full of them would only hold up everybody else.
 *
 * @param request  Checked.
 * @returns  In examples, 1 or more.
 */
export function weightOf({ count, parameters }: ModelRequest): number {
  const { samples } = parameters;
  return typeof samples === 'number' && samples >= drawsPerExample ? count + Math.floor(samples / drawsPerExample) : count;
}
