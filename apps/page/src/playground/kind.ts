import { cardOf, type ModelOverview } from '../server/overview.ts';

/** An input that is an image. */
export interface ImageKind {
  readonly kind: 'image';
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly classCount: number;
}

/** Which playground fits a model. */
export type PlaygroundKind = ImageKind | { readonly kind: 'curve' } | { readonly kind: 'table'; readonly size: number };

/** Larger images than this take too long to turn and send for a slider. */
const sideMax = 512;

/**
 * Which playground fits a model: images that are classified, functions of one number, or anything else.
 *
 * @param model  A version that is loaded.
 * @returns  What is known of its input.
 */
export function kindOf(model: ModelOverview): PlaygroundKind {
  const [, ...shape] = model.description?.inputs[0]?.shape ?? [];
  const outputs = model.description?.outputs ?? [];
  const probabilities = outputs.find(({ name }) => name === 'probabilities');
  const [height, width, channels] = shape;
  const isImage =
    shape.length === 3 && (channels === 1 || channels === 3) && Math.max(height, width) <= sideMax && Math.min(height, width) >= 4;
  if (isImage && probabilities) return { kind: 'image', height, width, channels, classCount: probabilities.shape.at(-1)! };
  const isRegression = outputs.some(({ name }) => name === 'mean') && (cardOf(model)?.likelihood ?? 'regression') !== 'classification';
  const size = shape.reduce((product, axis) => product * axis, 1);
  if (isRegression && size === 1 && outputs.find(({ name }) => name === 'mean')?.shape.at(-1) === 1) return { kind: 'curve' };
  return { kind: 'table', size };
}

/**
 * The outputs that a model has among those wanted.
 *
 * @param model  A version that is loaded.
 * @param wanted  Names.
 * @returns  Those that it offers, in the order wanted.
 */
export function offered(model: ModelOverview, wanted: readonly string[]): string[] {
  const names = model.description?.outputs.map(({ name }) => name) ?? [];
  return wanted.filter((name) => names.includes(name));
}
