import { SublaceError } from '@sublace/errors';

/**
 * Checks that an architecture for images gets images large enough for its poolings and strides.
 *
 * @param name  Architecture, for the message.
 * @param inputShape  Shape of one example; [height, width, channels] is expected.
 * @param sideMin  Smallest height and width that leave at least one position at the end.
 * @throws SublaceError SHAPE_MISMATCH for another rank or a smaller image.
 */
export function checkImageShape(name: string, inputShape: readonly number[], sideMin: number): void {
  if (inputShape.length !== 3 || Math.min(inputShape[0], inputShape[1]) < sideMin) {
    const expected = `images [height, width, channels] of at least ${sideMin}x${sideMin}`;
    throw new SublaceError('SHAPE_MISMATCH', `${name}: expected ${expected}, got examples [${inputShape.join(', ')}]; use mlp:WIDTHxDEPTH`);
  }
}
