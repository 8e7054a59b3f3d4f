import type { JSX } from 'preact';
import { LineChart } from '../charts/line-chart.tsx';
import { formatPercent } from '../format/numbers.ts';
import { topClass, type ClassificationAnswer } from './classification-answer.ts';

/** Degrees at which the full turn is asked. */
export const turnDegrees = Array.from({ length: 37 }, (_, i) => 10 * i);

/**
 * Confidence and entropy over a full turn of the input.
 *
 * @param props  Its parts.
 * @param props.answers  One for each of {@link turnDegrees}.
 * @param props.degrees  The present angle.
 * @returns  A chart.
 */
export function TurnChart({ answers, degrees }: { answers: readonly ClassificationAnswer[]; degrees: number }): JSX.Element {
  const most = Math.log(answers[0].sublace.length);
  const sublace = answers.map((answer) => topClass(answer.sublace).probability);
  const map = answers.map((answer) => (answer.map ? topClass(answer.map).probability : NaN));
  const entropy = answers.map((answer) => answer.entropy / most);
  const hasMap = answers[0].map !== null;
  const mean = (values: readonly number[]): string => formatPercent(values.reduce((sum, value) => sum + value, 0) / values.length);
  const peak = turnDegrees[entropy.indexOf(Math.max(...entropy))];
  const classes = answers.map((answer) => topClass(answer.sublace).index);
  return (
    <LineChart
      title="Over a full turn"
      summary={
        `Mean confidence of Sublace ${mean(sublace)}${hasMap ? `, of the MAP ${mean(map)}` : ''}. ` +
        `Entropy is largest at ${peak} degrees. Upright the answer is ${classes[0]}, upside down ${classes[18]}.`
      }
      xLabel="Angle"
      x={turnDegrees}
      xTicks={[0, 45, 90, 135, 180, 225, 270, 315, 360]}
      series={[
        ...(hasMap ? [{ name: 'Confidence of the MAP', values: map, style: 'map' }] : []),
        { name: 'Confidence of Sublace', values: sublace, style: 'sublace' },
        { name: 'Entropy, of its maximum', values: entropy, style: 'entropy' },
      ]}
      yRange={[0, 1]}
      formatX={(value) => `${Math.round(value)}°`}
      formatY={(value) => (Number.isNaN(value) ? '–' : `${Math.round(100 * value)} %`)}
      marker={degrees}
      height={210}
    />
  );
}
