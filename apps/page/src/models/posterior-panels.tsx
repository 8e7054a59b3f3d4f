import type { JSX } from 'preact';
import { LineChart } from '../charts/line-chart.tsx';
import { extent } from '../charts/chart-data.ts';
import { formatNumber, formatPercent, shortDigest } from '../format/numbers.ts';
import type { ModelOverview, PosteriorCard } from '../server/overview.ts';
import { layerShares } from './layers.ts';
import { QualityPanel } from './quality-panel.tsx';

/**
 * What a posterior is: which weights are uncertain, under which prior, how well the data fit, and how it is computed.
 *
 * @param props  Its parts.
 * @param props.model  The version.
 * @param props.card  What it says of itself.
 * @returns  Sections.
 */
export function PosteriorPanels({ model, card }: { model: ModelOverview; card: PosteriorCard }): JSX.Element {
  return (
    <>
      <section class="panel" aria-labelledby="posterior-title">
        <div class="panel-head">
          <h2 id="posterior-title">
            The posterior of {model.name}, version {model.version}
          </h2>
          <code title={`sha256 ${card.digest}`}>{shortDigest(card.digest)}</code>
        </div>
        <p class="lead">{sentence(card)}</p>
        {card.notes.map((note) => (
          <p key={note} class="notice">
            {note}
          </p>
        ))}
        <Facts rows={posteriorFacts(card)} />
      </section>
      <Layers card={card} />
      <div class="two">
        <PriorPanel card={card} />
        <QualityPanel card={card} />
      </div>
      <section class="panel" aria-labelledby="data-title">
        <h2 id="data-title">What it was fitted to, and where</h2>
        <Facts rows={dataFacts(model, card)} />
      </section>
    </>
  );
}

function sentence({ likelihood, subnetwork: { size, parameterCount, rule }, effectiveDimension }: PosteriorCard): string {
  const kind = {
    classification: 'A classifier',
    binary: 'A yes-or-no classifier',
    regression: 'A regression',
    heteroscedastic: 'A regression with noise of its own for each input',
  };
  return (
    `${kind[likelihood]}. Of its ${formatNumber(parameterCount)} weights ${formatNumber(size)} (${formatPercent(size / parameterCount)}) have a Gaussian distribution, ` +
    `chosen by ${rule.split(':')[0].replaceAll('-', ' ')}; the others stay at their point estimate. The data determine about ${formatNumber(effectiveDimension)} directions of them.`
  );
}

type Rows = readonly (readonly [string, string, string?])[];

function posteriorFacts(card: PosteriorCard): Rows {
  const { covariance, effectiveDimension, effectiveDimensionError, noiseVariance, temperature } = card;
  const errors = Object.entries(covariance.errors).map(([name, value]) => `${name.replaceAll('_', ' ')} ${formatNumber(value)}`);
  const path =
    covariance.path === 'truncated'
      ? `the ${formatNumber(covariance.rank)} largest directions; against the exact one: ${errors.join(', ') || 'not measured'}`
      : 'exact, all directions';
  return [
    ['Log marginal likelihood', `${formatNumber(card.logMarginalLikelihood, 6)} nats`],
    ['Log likelihood at the MAP', `${formatNumber(card.logLikelihood, 6)} nats`],
    [
      'Effective dimension',
      `${formatNumber(effectiveDimension, 4)}${effectiveDimensionError > 0 ? ` ± ${formatNumber(effectiveDimensionError, 2)}` : ''} of ${formatNumber(card.subnetwork.size)}`,
    ],
    ['Prior precision', formatNumber(card.prior.precision, 4)],
    ['Prior standard deviation', formatNumber(1 / Math.sqrt(card.prior.precision))],
    ['Covariance of the outputs', path],
    ...(noiseVariance ? [['Noise variance', noiseVariance.map((value) => formatNumber(value)).join(', ')] as const] : []),
    ['Temperature', formatNumber(temperature)],
    ['Curvature', card.curvature === 'ggn' ? 'generalised Gauss-Newton' : card.curvature],
    ...(card.links.length > 0 ? [['Links', card.links.join(', ')] as const] : []),
  ];
}

function dataFacts(model: ModelOverview, { data, backend, modelDigest }: PosteriorCard): Rows {
  const shape = model.description!.inputs[0].shape.slice(1).join(' × ');
  return [
    ['Data', data.spec],
    [
      'Examples',
      `${formatNumber(data.exampleCount)}${data.validationCount > 0 ? `, and ${formatNumber(data.validationCount)} for validation` : ''}`,
    ],
    ['Input', shape],
    ['Computed with', `${backend.name} ${backend.version} on ${backend.device}`],
    ['Digest of the data', shortDigest(data.digest)],
    ['Digest of the model', shortDigest(modelDigest)],
  ];
}

function Facts({ rows }: { rows: Rows }): JSX.Element {
  return (
    <dl class="facts">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Layers({ card: { subnetwork } }: { card: PosteriorCard }): JSX.Element {
  const layers = layerShares(subnetwork.layers);
  return (
    <section class="panel" aria-labelledby="layers-title">
      <div class="panel-head">
        <h2 id="layers-title">The subnetwork by layer</h2>
        <span class="note">
          rule <code>{subnetwork.rule}</code> · {formatPercent(subnetwork.diagonalMassShare)} of the curvature's trace
        </span>
      </div>
      <div class="scrolling" tabIndex={0} role="region" aria-label="Table of layers">
        <table class="layers">
          <thead>
            <tr>
              <th scope="col">Layer</th>
              <th scope="col">Chosen</th>
              <th scope="col" class="grow">
                Share of the layer
              </th>
              <th scope="col">Share of the curvature</th>
            </tr>
          </thead>
          <tbody>
            {layers.map(({ layer, selected, total, massShare, tensors }) => (
              <tr key={layer}>
                <th scope="row">
                  {layer}
                  <span class="note">
                    {tensors
                      .map(({ weight, selected: n, total: all }) => `${weight} ${formatNumber(n)} / ${formatNumber(all)}`)
                      .join(' · ')}
                  </span>
                </th>
                <td>
                  {formatNumber(selected)} / {formatNumber(total)}
                </td>
                <td class="grow">
                  <span class="share">
                    <svg class="bar" width="100%" height="10" aria-hidden="true">
                      <rect class="track" width="100%" height="10" rx="3" />
                      <rect
                        class="fill sublace"
                        width={`${selected === 0 ? 0 : Math.max(0.6, (100 * selected) / total)}%`}
                        height="10"
                        rx="3"
                      />
                    </svg>
                    <span>{formatPercent(selected / total)}</span>
                  </span>
                </td>
                <td>{formatPercent(massShare)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function PriorPanel({ card: { prior } }: { card: PosteriorCard }): JSX.Element {
  const { curve } = prior;
  const x = curve.map(({ precision }) => Math.log10(precision));
  const losses = curve.map(({ loss }) => loss);
  const [low, high] = extent(losses);
  const best = curve[losses.indexOf(low)];
  return (
    <section class="panel" aria-labelledby="prior-title">
      <h2 id="prior-title">Prior</h2>
      <Facts
        rows={[
          ['Precision', `${formatNumber(prior.precision, 4)}${prior.isAtBound ? ', at a bound of the search' : ''}`],
          ['Found by', prior.method],
          ['Structure', prior.structure],
          ['Mean', prior.mean === null ? 'differs by weight' : formatNumber(prior.mean)],
        ]}
      />
      {curve.length > 2 && (
        <LineChart
          title="Loss along the prior's precision"
          summary={`The loss is least, ${formatNumber(low)}, at a precision of ${formatNumber(best.precision)}; chosen was ${formatNumber(prior.precision)}.`}
          xLabel="Precision"
          x={x}
          series={[{ name: 'loss, nats', values: losses, style: 'sublace' }]}
          yRange={[low - 0.05 * (high - low || 1), high + 0.05 * (high - low || 1)]}
          formatX={(value) => formatNumber(10 ** value, 2)}
          formatXTick={(value) => `1e${Math.round(value)}`}
          xTicks={x.filter((value) => Math.abs(value - Math.round(value)) < 1e-6 && Math.round(value) % 2 === 0).map(Math.round)}
          formatY={(value) => formatNumber(value)}
          marker={Math.log10(prior.precision)}
          height={180}
        />
      )}
    </section>
  );
}
