import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';

const quietMs = 800;

/**
 * Tells a screen reader what has changed, once it has stopped changing: a slider would else be followed by a flood.
 *
 * @param props  Its parts.
 * @param props.text  What to say.
 * @returns  An element that is heard and not seen.
 */
export function LiveRegion({ text }: { text: string }): JSX.Element {
  const [said, setSaid] = useState('');
  useEffect(() => {
    const timer = setTimeout(() => setSaid(text), quietMs);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <p class="hidden" role="status" aria-live="polite" aria-atomic="true">
      {said}
    </p>
  );
}
