import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { fitToCentre, rasterise } from '../image/drawing.ts';
import { invert, withChannels, type Image } from '../image/image.ts';
import { rangeOf, toModelUnits, type PixelRange } from '../image/pixel-range.ts';
import { rotate } from '../image/rotate.ts';
import { samplesFor } from '../image/samples.ts';
import { cardOf } from '../server/overview.ts';
import { classificationAnswers, classificationOutputs } from './classification-answer.ts';
import type { PadContent } from './drawing-pad.tsx';
import { ImageInput } from './image-input.tsx';
import { offered, type ImageKind } from './kind.ts';
import type { PlaygroundProps } from './playground-view.tsx';
import { PredictionPanel } from './prediction-panel.tsx';
import { TurnChart, turnDegrees } from './turn-chart.tsx';
import { useInference } from './use-inference.ts';

/** How what is on the pad becomes the model's input. */
export interface InputSettings {
  /** Scale drawings into the middle, as the digits of MNIST are. */
  readonly isFitted: boolean;
  readonly isInverted: boolean;
  readonly range: PixelRange;
}

/** A drawing that has just changed will change again; the full turn is asked when it rests. */
const restMs = 150;

/**
 * Draw or load an image, turn it, and see what the model makes of it.
 *
 * @param props  Its parts.
 * @returns  The playground of image classifiers.
 */
export function ImagePlayground({ api, model, kind }: PlaygroundProps & { kind: ImageKind }): JSX.Element {
  const { height, width, channels, classCount } = kind;
  const samples = useMemo(() => samplesFor(channels, classCount), [channels, classCount]);
  const first = samples[Math.min(3, samples.length - 1)];
  const [content, setContent] = useState<PadContent>(() =>
    first.drawing
      ? { kind: 'drawing', drawing: first.drawing }
      : { kind: 'picture', name: first.name, image: first.render(height, width, channels) },
  );
  const [degrees, setDegrees] = useState(0);
  const [settings, setSettings] = useState<InputSettings>(() => {
    const data = cardOf(model)?.data;
    return { isFitted: channels === 1, isInverted: false, range: rangeOf(data) };
  });
  const { isFitted, isInverted, range } = settings;

  const upright = useMemo(() => {
    const image = imageOf(content, kind, isFitted);
    return isInverted ? invert(image) : image;
  }, [content, kind, isFitted, isInverted]);
  const turned = useMemo(() => rotate(upright, degrees), [upright, degrees]);
  const isEmpty = content.kind === 'drawing' && content.drawing.length === 0;

  const outputs = offered(model, classificationOutputs);
  const now = useInference(
    api,
    model,
    isEmpty
      ? null
      : { key: `${keyOfImage(turned)}:${range.low}:${range.high}`, count: 1, outputs, values: () => toModelUnits([turned], range) },
  );
  const turn = useInference(
    api,
    model,
    isEmpty
      ? null
      : {
          key: `${keyOfImage(upright)}:${range.low}:${range.high}`,
          count: turnDegrees.length,
          outputs,
          values: () =>
            toModelUnits(
              turnDegrees.map((angle) => rotate(upright, angle)),
              range,
            ),
        },
    restMs,
  );
  const answer = !isEmpty && now.outputs ? classificationAnswers(now.outputs)[0] : null;

  return (
    <div class="image-playground">
      <ImageInput
        kind={kind}
        samples={samples}
        content={content}
        onContent={setContent}
        degrees={degrees}
        onDegrees={setDegrees}
        settings={settings}
        onSettings={setSettings}
        modelImage={turned}
      />
      <PredictionPanel answer={answer} error={now.error} seconds={now.seconds} about={`Turned by ${degrees} degrees`} />
      <section class="panel turn" aria-label="Over a full turn">
        {turn.outputs && !isEmpty ? (
          <TurnChart answers={classificationAnswers(turn.outputs)} degrees={degrees} />
        ) : (
          <p class="note">Draw something to see how the answer changes over a full turn.</p>
        )}
      </section>
    </div>
  );
}

function imageOf(content: PadContent, { height, width, channels }: ImageKind, isFitted: boolean): Image {
  if (content.kind === 'picture') return content.image;
  return withChannels(rasterise(isFitted ? fitToCentre(content.drawing) : content.drawing, height, width), channels);
}

const keys = new WeakMap<Image, number>();
let lastKey = 0;

/** A number that tells images apart. */
function keyOfImage(image: Image): number {
  const key = keys.get(image) ?? (lastKey += 1);
  keys.set(image, key);
  return key;
}
