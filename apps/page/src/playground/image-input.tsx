import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Drawing } from '../image/drawing.ts';
import type { Image } from '../image/image.ts';
import { pixelRanges } from '../image/pixel-range.ts';
import type { Sample } from '../image/samples.ts';
import { DrawingPad, type PadContent } from './drawing-pad.tsx';
import type { InputSettings } from './image-playground.tsx';
import type { ImageKind } from './kind.ts';
import { ModelImage } from './model-image.tsx';
import { readPicture } from './read-picture.ts';

/** What the panel shows and whom it tells. */
export interface ImageInputProps {
  readonly kind: ImageKind;
  readonly samples: readonly Sample[];
  readonly content: PadContent;
  readonly onContent: (content: PadContent) => void;
  readonly degrees: number;
  readonly onDegrees: (degrees: number) => void;
  readonly settings: InputSettings;
  readonly onSettings: (settings: InputSettings) => void;
  /** As the model gets it. */
  readonly modelImage: Image;
}

const penRadius = 0.045;

/**
 * Where the input is made: pad, samples, upload, turn, and what the model sees of it.
 *
 * @param props  What it shows.
 * @returns  A section.
 */
export function ImageInput(props: ImageInputProps): JSX.Element {
  const { kind, samples, content, onContent, degrees, onDegrees, modelImage } = props;
  const { height, width, channels } = kind;
  const onDraw = (drawing: Drawing): void => onContent({ kind: 'drawing', drawing });
  const choose = (sample: Sample): void =>
    onContent(
      sample.drawing
        ? { kind: 'drawing', drawing: sample.drawing }
        : { kind: 'picture', name: sample.name, image: sample.render(height, width, channels) },
    );
  return (
    <section class="panel image-input" aria-labelledby="input-title">
      <div class="panel-head">
        <h2 id="input-title">Input</h2>
        <span class="note">
          {height} × {width}
          {channels === 3 ? ', colour' : ', grey'}
        </span>
      </div>
      <div class="pad-row">
        <DrawingPad content={content} radius={penRadius} onDraw={onDraw} />
        <figure class="seen">
          <ModelImage image={modelImage} label={`The input as the model gets it, turned by ${degrees} degrees`} />
          <figcaption>as the model sees it</figcaption>
        </figure>
      </div>
      <div class="turn-control">
        <label for="turn">Turn</label>
        <input
          id="turn"
          type="range"
          min={0}
          max={360}
          step={1}
          value={degrees}
          aria-valuetext={`${degrees} degrees`}
          onInput={(event) => onDegrees(Number(event.currentTarget.value))}
        />
        <output for="turn">{degrees}°</output>
      </div>
      <div role="group" aria-label="Samples" class="samples">
        {samples.map((sample) => (
          <button key={sample.name} type="button" aria-label={`Sample ${sample.name}`} onClick={() => choose(sample)}>
            {sample.name}
          </button>
        ))}
      </div>
      <Actions {...props} />
    </section>
  );
}

function Actions({ kind, content, onContent, settings, onSettings }: ImageInputProps): JSX.Element {
  const [error, setError] = useState<string | null>(null);
  const { height, width, channels } = kind;
  const upload = async (input: HTMLInputElement): Promise<void> => {
    const file = input.files?.[0];
    // So that the same file can be chosen again.
    input.value = '';
    if (!file) return;
    try {
      onContent({ kind: 'picture', name: file.name, image: await readPicture(file, height, width, channels) });
      setError(null);
    } catch (failure) {
      setError((failure as Error).message);
    }
  };
  return (
    <>
      <div class="row">
        <button type="button" onClick={() => onContent({ kind: 'drawing', drawing: [] })}>
          Clear
        </button>
        <label class="button">
          <input class="hidden" type="file" accept="image/*" onChange={(event) => void upload(event.currentTarget)} />
          Upload a picture
        </label>
      </div>
      {error && (
        <p class="notice bad" role="alert">
          {error}
        </p>
      )}
      <details class="settings" open>
        <summary>How it becomes the model's input</summary>
        {content.kind === 'drawing' && channels === 1 && (
          <label class="check">
            <input
              type="checkbox"
              checked={settings.isFitted}
              onChange={(event) => onSettings({ ...settings, isFitted: event.currentTarget.checked })}
            />
            Fit the drawing into the middle, as the digits of MNIST are
          </label>
        )}
        <label class="check">
          <input
            type="checkbox"
            checked={settings.isInverted}
            onChange={(event) => onSettings({ ...settings, isInverted: event.currentTarget.checked })}
          />
          Invert: for dark ink on light paper
        </label>
        <label>
          Values of pixels{' '}
          <select
            value={String(pixelRanges.findIndex(({ low, high }) => low === settings.range.low && high === settings.range.high))}
            onChange={(event) => onSettings({ ...settings, range: pixelRanges[Number(event.currentTarget.value)] })}
          >
            {pixelRanges.map(({ low, high }, i) => (
              <option key={i} value={String(i)}>
                {low} to {high}
              </option>
            ))}
          </select>
        </label>
      </details>
    </>
  );
}
