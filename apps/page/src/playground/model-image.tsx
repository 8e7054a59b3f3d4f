import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Image } from '../image/image.ts';
import { paintImage } from './paint-image.ts';

/**
 * An image as the model gets it, every pixel visible.
 *
 * @param props  Its parts.
 * @param props.image  It.
 * @param props.label  In words.
 * @returns  A canvas.
 */
export function ModelImage({ image, label }: { image: Image; label: string }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => paintImage(canvas.current!, image), [image]);
  return <canvas ref={canvas} class="model-image" width={image.width} height={image.height} role="img" aria-label={label} />;
}
