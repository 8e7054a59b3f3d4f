import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { nearestIndex } from '../charts/chart-data.ts';
import { LineChart } from '../charts/line-chart.tsx';
import { formatDuration, formatNumber } from '../format/numbers.ts';
import { LiveRegion } from '../live-region.tsx';
import { cardOf } from '../server/overview.ts';
import { curveAnswer, curveChart, curveOutputs, spread, verticalFit, type CurveAnswer, type VerticalFit } from './curve-answer.ts';
import { offered } from './kind.ts';
import type { PlaygroundProps } from './playground-view.tsx';
import { useInference } from './use-inference.ts';

const pointCount = 201;

/**
 * A function of one number: its mean and how sure it is, over a range that goes beyond the data.
 *
 * @param props  Its parts.
 * @returns  The playground of one-dimensional regressions.
 */
export function CurvePlayground({ api, model }: PlaygroundProps): JSX.Element {
  const data = cardOf(model)?.data;
  const centre = data?.inputMean[0] ?? 0;
  const deviation = data?.inputStd[0] ?? 1;
  const whole: [number, number] = [centre - 4 * deviation, centre + 4 * deviation].map((value) => Number(value.toPrecision(2))) as [
    number,
    number,
  ];
  const [[from, to], setRange] = useState(whole);
  const [asked, setAsked] = useState(centre);
  const [chosenFit, setFit] = useState<VerticalFit | null>(null);
  const x = useMemo(() => spread(from, to, pointCount), [from, to]);
  const outputs = offered(model, curveOutputs);
  const {
    outputs: answered,
    question,
    error,
    seconds,
  } = useInference(api, model, {
    key: x,
    count: x.length,
    outputs,
    values: () => Float32Array.from(x),
  });
  const answer = answered && curveAnswer(answered);
  const fit = chosenFit ?? (answer ? verticalFit(answer) : 'band');
  const at = Math.min(to, Math.max(from, asked));

  return (
    <div class="curve-playground">
      <section class="panel" aria-labelledby="curve-title">
        <div class="panel-head">
          <h2 id="curve-title">Prediction</h2>
          {seconds !== null && (
            <span class="note">
              {pointCount} points answered in {formatDuration(seconds)}
            </span>
          )}
        </div>
        {error && (
          <p class="notice bad" role="alert">
            {error}
          </p>
        )}
        {answer && question ? (
          <>
            <LineChart
              title="Mean and uncertainty"
              summary={summaryOf(question, answer)}
              xLabel="x"
              x={question}
              {...curveChart(answer, fit)}
              formatX={(value) => `x = ${formatNumber(value)}`}
              formatXTick={(value) => formatNumber(value)}
              formatY={(value) => formatNumber(value)}
              marker={at}
              {...(data && { span: { from: centre - 2 * deviation, to: centre + 2 * deviation, name: 'most of the data' } })}
              height={360}
            />
            {data && <p class="note">Shaded: where most of the training inputs lie (their mean ± 2 standard deviations).</p>}
            <PointAnswer x={question} answer={answer} at={at} from={from} to={to} onAsk={setAsked} />
          </>
        ) : (
          !error && <p class="note">Waiting for the first answer …</p>
        )}
        <div class="row">
          <RangeControls from={from} to={to} whole={whole} onRange={setRange} />
          <label>
            Height for{' '}
            <select value={fit} onChange={(event) => setFit(event.currentTarget.value as VerticalFit)}>
              <option value="band">all of the band</option>
              <option value="mean">the mean</option>
            </select>
          </label>
        </div>
      </section>
    </div>
  );
}

function summaryOf(x: readonly number[], { epistemic }: CurveAnswer): string {
  const least = epistemic.indexOf(Math.min(...epistemic));
  return (
    `Over x from ${formatNumber(x[0])} to ${formatNumber(x.at(-1))}: the function is known best at x = ${formatNumber(x[least])}, ` +
    `with a standard deviation of ${formatNumber(epistemic[least])}; at the ends it is ${formatNumber(epistemic[0])} and ${formatNumber(epistemic.at(-1))}.`
  );
}

interface PointAnswerProps {
  x: readonly number[];
  answer: CurveAnswer;
  at: number;
  from: number;
  to: number;
  onAsk: (x: number) => void;
}

function PointAnswer({ x, answer, at, from, to, onAsk }: PointAnswerProps): JSX.Element {
  const i = nearestIndex(x, at);
  return (
    <>
      <div class="turn-control">
        <label for="at">At x</label>
        <input
          id="at"
          type="range"
          min={from}
          max={to}
          step={(to - from) / (pointCount - 1)}
          value={at}
          aria-valuetext={formatNumber(x[i])}
          onInput={(event) => onAsk(Number(event.currentTarget.value))}
        />
        <output for="at">{formatNumber(x[i])}</output>
      </div>
      <dl class="facts">
        <div>
          <dt>Mean, and MAP</dt>
          <dd>{formatNumber(answer.mean[i])}</dd>
        </div>
        <div>
          <dt>σ of the function</dt>
          <dd>{formatNumber(answer.epistemic[i])}</dd>
        </div>
        <div>
          <dt>σ with noise</dt>
          <dd>{formatNumber(answer.total[i])}</dd>
        </div>
      </dl>
      <LiveRegion
        text={`At x ${formatNumber(x[i])}: mean ${formatNumber(answer.mean[i])}, standard deviation of the function ${formatNumber(answer.epistemic[i])}, with noise ${formatNumber(answer.total[i])}`}
      />
    </>
  );
}

type Range = [number, number];

function RangeControls({
  from,
  to,
  whole,
  onRange,
}: {
  from: number;
  to: number;
  whole: Range;
  onRange: (range: Range) => void;
}): JSX.Element {
  const zoom = (factor: number): void => {
    const [middle, half] = [(from + to) / 2, ((to - from) / 2) * factor];
    onRange([middle - half, middle + half]);
  };
  const pan = (share: number): void => onRange([from + share * (to - from), to + share * (to - from)]);
  return (
    <div class="row range-controls" role="group" aria-label="Range of x">
      <NumberField label="From" value={from} isValid={(value) => value < to} onValue={(value) => onRange([value, to])} />
      <NumberField label="to" value={to} isValid={(value) => value > from} onValue={(value) => onRange([from, value])} />
      <button type="button" aria-label="Move to smaller x" onClick={() => pan(-0.25)}>
        ←
      </button>
      <button type="button" aria-label="Move to larger x" onClick={() => pan(0.25)}>
        →
      </button>
      <button type="button" aria-label="Zoom in" onClick={() => zoom(0.5)}>
        +
      </button>
      <button type="button" aria-label="Zoom out" onClick={() => zoom(2)}>
        −
      </button>
      <button type="button" onClick={() => onRange(whole)}>
        Reset
      </button>
    </div>
  );
}

interface NumberFieldProps {
  label: string;
  value: number;
  isValid: (value: number) => boolean;
  onValue: (value: number) => void;
}

function NumberField({ label, value, isValid, onValue }: NumberFieldProps): JSX.Element {
  const [text, setText] = useState<string | null>(null);
  const shown = text ?? String(Number(value.toPrecision(4)));
  const isWrong = text !== null && !(text.trim() !== '' && Number.isFinite(Number(text)) && isValid(Number(text)));
  const commit = (): void => {
    if (text !== null && !isWrong) onValue(Number(text));
    setText(null);
  };
  return (
    <label>
      {label}{' '}
      <input
        type="text"
        inputMode="decimal"
        size={7}
        value={shown}
        aria-invalid={isWrong}
        onInput={(event) => setText(event.currentTarget.value)}
        onBlur={commit}
        onKeyDown={(event) => event.key === 'Enter' && commit()}
      />
    </label>
  );
}
