import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Drawing, Point } from '../image/drawing.ts';
import type { Image } from '../image/image.ts';
import { paintImage } from './paint-image.ts';

/** What is on the pad: lines, or a picture that was loaded. */
export type PadContent =
  { readonly kind: 'drawing'; readonly drawing: Drawing } | { readonly kind: 'picture'; readonly image: Image; readonly name: string };

const side = 560;

/**
 * A pad to draw on with mouse, finger or pen: light ink on dark, as the images that digit models learn from. Without a pointer there are the
 * samples and the upload beside it.
 *
 * @param props  Its parts.
 * @param props.content  What is on it.
 * @param props.radius  Of the pen, as a share of the side.
 * @param props.onDraw  Is told of the drawing at every move; a picture gives way to it.
 * @returns  A canvas.
 */
export function DrawingPad({
  content,
  radius,
  onDraw,
}: {
  content: PadContent;
  radius: number;
  onDraw: (drawing: Drawing) => void;
}): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const stroke = useRef<Point[] | null>(null);
  const before = useRef<Drawing>([]);
  useEffect(() => paint(canvas.current!, content), [content]);

  const place = (event: PointerEvent): Point => {
    const box = canvas.current!.getBoundingClientRect();
    return { x: clamp((event.clientX - box.left) / box.width), y: clamp((event.clientY - box.top) / box.height) };
  };
  const tell = (): void => onDraw([...before.current, { points: [...stroke.current!], radius }]);
  const start = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    event.preventDefault();
    canvas.current!.setPointerCapture(event.pointerId);
    before.current = content.kind === 'drawing' ? content.drawing : [];
    stroke.current = [place(event)];
    tell();
  };
  const move = (event: PointerEvent): void => {
    if (!stroke.current) return;
    // A fast pen is sampled more often than the screen is drawn.
    const events = typeof event.getCoalescedEvents === 'function' ? event.getCoalescedEvents() : [];
    stroke.current.push(...(events.length > 0 ? events : [event]).map(place));
    tell();
  };
  const end = (): void => {
    stroke.current = null;
  };

  return (
    <canvas
      ref={canvas}
      class="pad"
      width={side}
      height={side}
      role="img"
      aria-label={`Drawing pad: ${describe(content)}. Draw here with a mouse, finger or pen; with the keyboard choose a sample or upload an image.`}
      onPointerDown={start}
      onPointerMove={move}
      onPointerUp={end}
      onPointerCancel={end}
    />
  );
}

function describe(content: PadContent): string {
  if (content.kind === 'picture') return `the picture ${content.name}`;
  return content.drawing.length === 0
    ? 'empty'
    : `a drawing of ${content.drawing.length} ${content.drawing.length === 1 ? 'line' : 'lines'}`;
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}

function paint(canvas: HTMLCanvasElement, content: PadContent): void {
  if (content.kind === 'picture') {
    canvas.width = content.image.width;
    canvas.height = content.image.height;
    paintImage(canvas, content.image);
    return;
  }
  canvas.width = canvas.height = side;
  const context = canvas.getContext('2d')!;
  context.fillStyle = '#101418';
  context.fillRect(0, 0, side, side);
  context.strokeStyle = context.fillStyle = '#f4f6f8';
  context.lineCap = context.lineJoin = 'round';
  for (const { points, radius } of content.drawing) {
    context.lineWidth = 2 * radius * side;
    context.beginPath();
    context.moveTo(points[0].x * side, points[0].y * side);
    // A line of no length is a dot with round ends.
    for (const { x, y } of points.length === 1 ? points : points.slice(1)) context.lineTo(x * side, y * side);
    context.stroke();
  }
}
