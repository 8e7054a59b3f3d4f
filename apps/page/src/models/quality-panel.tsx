import type { JSX } from 'preact';
import { formatNumber, formatPercent } from '../format/numbers.ts';
import type { PosteriorCard } from '../server/overview.ts';

/** Scores in the order of the table, with what to call them and how to write them. */
const scores: readonly { name: string; label: string; title: string; format: (value: number) => string }[] = [
  {
    name: 'nll',
    label: 'Negative log likelihood',
    title: 'Mean over examples, nats; smaller is better',
    format: (value) => formatNumber(value, 4),
  },
  {
    name: 'ece',
    label: 'Calibration error (ECE)',
    title: 'How far confidence is from accuracy; smaller is better',
    format: (value) => formatPercent(value),
  },
  {
    name: 'brier',
    label: 'Brier score',
    title: 'Squared error of the probabilities; smaller is better',
    format: (value) => formatNumber(value, 4),
  },
  { name: 'accuracy', label: 'Accuracy', title: 'Larger is better', format: (value) => formatPercent(value) },
  {
    name: 'rmse',
    label: 'Error of the mean (RMSE)',
    title: 'In units of the targets; smaller is better',
    format: (value) => formatNumber(value, 4),
  },
];

/**
 * How well calibrated the MAP and the posterior are on data that the fit held out.
 *
 * @param props  Its parts.
 * @param props.card  What the version says of itself.
 * @returns  A section.
 */
export function QualityPanel({ card: { quality, mapTemperature } }: { card: PosteriorCard }): JSX.Element {
  return (
    <section class="panel" aria-labelledby="quality-title">
      <div class="panel-head">
        <h2 id="quality-title">Calibration and quality</h2>
        {quality && <span class="note">on {formatNumber(quality.exampleCount)} held-out examples</span>}
      </div>
      {quality && <QualityTable quality={quality} />}
      {mapTemperature !== null && (
        <p class="note">
          Temperature that the MAP would need: {formatNumber(mapTemperature)}
          {over(mapTemperature)}.
        </p>
      )}
      {quality === null && (
        <p class="note">
          The artifact holds no scores on held-out data; <code>sublace evaluate</code> measures them.
        </p>
      )}
    </section>
  );
}

function QualityTable({ quality }: { quality: NonNullable<PosteriorCard['quality']> }): JSX.Element {
  return (
    <table class="quality">
      <thead>
        <tr>
          <th scope="col">Score</th>
          <th scope="col">MAP</th>
          <th scope="col">Sublace</th>
        </tr>
      </thead>
      <tbody>
        {scores
          .filter(({ name }) => name in quality.map)
          .map(({ name, label, title, format }) => (
            <tr key={name}>
              <th scope="row" title={title}>
                {label}
              </th>
              <td>{format(quality.map[name])}</td>
              <td>{format(quality.sublace[name])}</td>
            </tr>
          ))}
      </tbody>
    </table>
  );
}

function over(temperature: number): string {
  if (temperature > 1.02) return ': it is over-confident';
  return temperature < 0.98 ? ': it is under-confident' : ': it is well calibrated';
}
