import type { JSX } from 'preact';
import { formatDuration, formatNumber, formatPercent } from '../format/numbers.ts';
import { LiveRegion } from '../live-region.tsx';
import { shownClasses, topClass, type ClassificationAnswer } from './classification-answer.ts';

/** What the panel shows. */
export interface PredictionPanelProps {
  readonly answer: ClassificationAnswer | null;
  readonly error: string | null;
  readonly seconds: number | null;
  /** What was asked about, for the announcement: `at 30°`. */
  readonly about: string;
}

/**
 * Probabilities of both predictions side by side, and how unsure the posterior is.
 *
 * @param props  What it shows.
 * @returns  A section.
 */
export function PredictionPanel({ answer, error, seconds, about }: PredictionPanelProps): JSX.Element {
  return (
    <section class="panel prediction" aria-labelledby="prediction-title">
      <div class="panel-head">
        <h2 id="prediction-title">Prediction</h2>
        {seconds !== null && <span class="note">answered in {formatDuration(seconds)}</span>}
      </div>
      {error && (
        <p class="notice bad" role="alert">
          {error}
        </p>
      )}
      {answer ? <Answer answer={answer} /> : !error && <p class="note">Waiting for the first answer …</p>}
      <LiveRegion text={answer && !error ? announcement(answer, about) : ''} />
    </section>
  );
}

function announcement({ map, sublace, entropy }: ClassificationAnswer, about: string): string {
  const [ours, theirs] = [topClass(sublace), map && topClass(map)];
  const point = theirs ? ` The point estimate says ${theirs.index} with ${formatPercent(theirs.probability)}.` : '';
  return `${about}: Sublace says ${ours.index} with ${formatPercent(ours.probability)}, entropy ${formatNumber(entropy, 2)} of at most ${formatNumber(Math.log(sublace.length), 2)}.${point}`;
}

function Answer({ answer }: { answer: ClassificationAnswer }): JSX.Element {
  const { map, sublace } = answer;
  return (
    <>
      <div class="verdicts">
        {map && <Verdict style="map" name="MAP" note="point estimate" {...topClass(map)} />}
        <Verdict style="sublace" name="Sublace" note="posterior predictive" {...topClass(sublace)} />
      </div>
      <ProbabilityTable answer={answer} />
      <Uncertainty answer={answer} />
    </>
  );
}

function Verdict({
  style,
  name,
  note,
  index,
  probability,
}: {
  style: string;
  name: string;
  note: string;
  index: number;
  probability: number;
}): JSX.Element {
  return (
    <div class={`verdict ${style}`}>
      <span class="verdict-name">
        <i class={`swatch ${style}`} aria-hidden="true" />
        {name} <span class="note">{note}</span>
      </span>
      <span class="verdict-value">
        <b>{index}</b> <span>{formatPercent(probability)}</span>
      </span>
    </div>
  );
}

function ProbabilityTable({ answer }: { answer: ClassificationAnswer }): JSX.Element {
  const { map, sublace } = answer;
  const shown = shownClasses(answer);
  const top = topClass(sublace).index;
  return (
    <table class="probabilities">
      <caption class="hidden">Probability of each class</caption>
      <thead class="hidden">
        <tr>
          <th scope="col">Class</th>
          <th scope="col">Bars</th>
          {map && <th scope="col">MAP</th>}
          <th scope="col">Sublace</th>
        </tr>
      </thead>
      <tbody>
        {shown.map((index) => (
          <tr key={index} class={index === top ? 'top' : ''}>
            <th scope="row">{index}</th>
            <td class="bars" aria-hidden="true">
              {map && <Bar style="map" share={map[index]} />}
              <Bar style="sublace" share={sublace[index]} />
            </td>
            {map && <td class="number map-text">{formatPercent(map[index])}</td>}
            <td class="number sublace-text">{formatPercent(sublace[index])}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Bar({ style, share }: { style: string; share: number }): JSX.Element {
  return (
    <svg class="bar" width="100%" height="8" preserveAspectRatio="none">
      <rect class="track" width="100%" height="8" rx="2" />
      <rect class={`fill ${style}`} width={`${100 * share}%`} height="8" rx="2" />
    </svg>
  );
}

function Uncertainty({ answer: { entropy, mutualInformation, logitStd, sublace } }: { answer: ClassificationAnswer }): JSX.Element {
  const most = Math.log(sublace.length);
  const top = topClass(sublace).index;
  return (
    <dl class="facts">
      <div class="wide">
        <dt>
          <abbr title="0 when one class has all the probability; the most when all classes are equally likely">Entropy</abbr> of the
          predictive
        </dt>
        <dd>
          <meter min={0} max={most} value={entropy} aria-label="Entropy of the predictive">
            {formatNumber(entropy)}
          </meter>{' '}
          {formatNumber(entropy, 3)} of at most {formatNumber(most, 3)} nats
        </dd>
      </div>
      {mutualInformation !== null && (
        <div>
          <dt>
            <abbr title="What one would learn of the class by knowing the weights, from draws of the logits">Mutual information</abbr>
          </dt>
          <dd>{formatNumber(mutualInformation)} nats</dd>
        </div>
      )}
      {logitStd && (
        <div>
          <dt>Spread of the top logit</dt>
          <dd>± {formatNumber(logitStd[top] ?? logitStd[0])}</dd>
        </div>
      )}
    </dl>
  );
}
