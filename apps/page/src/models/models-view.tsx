import type { JSX } from 'preact';
import { formatBytes, formatNumber, formatPercent } from '../format/numbers.ts';
import { hashOf } from '../route.ts';
import { cardOf, keyOf, type ModelOverview } from '../server/overview.ts';
import { PosteriorPanels } from './posterior-panels.tsx';

/**
 * What is served: every version, and what the chosen one is.
 *
 * @param props  Its parts.
 * @param props.models  All versions.
 * @param props.chosen  The one that is shown.
 * @returns  The view.
 */
export function ModelsView({ models, chosen }: { models: readonly ModelOverview[]; chosen: ModelOverview }): JSX.Element {
  const card = cardOf(chosen);
  return (
    <>
      <div class="view-head">
        <h1>Models</h1>
      </div>
      <section class="panel" aria-labelledby="versions-title">
        <h2 id="versions-title">Versions</h2>
        <div class="scrolling" tabIndex={0} role="region" aria-label="Table of versions">
          <table class="versions">
            <thead>
              <tr>
                <th scope="col">Model</th>
                <th scope="col">Version</th>
                <th scope="col">State</th>
                <th scope="col">Labels</th>
                <th scope="col">Traffic</th>
                <th scope="col">In flight</th>
                <th scope="col">Memory</th>
              </tr>
            </thead>
            <tbody>
              {models.map((model) => (
                <VersionRow key={keyOf(model)} model={model} isChosen={model === chosen} />
              ))}
            </tbody>
          </table>
        </div>
      </section>
      {card ? (
        <PosteriorPanels model={chosen} card={card} />
      ) : (
        <section class="panel" aria-labelledby="properties-title">
          <h2 id="properties-title">
            {chosen.name} version {chosen.version}
          </h2>
          {chosen.description ? (
            <Properties model={chosen} />
          ) : (
            <p class="note">{chosen.reason || 'Nothing is known of it until it is loaded.'}</p>
          )}
        </section>
      )}
    </>
  );
}

const stateMarks: Record<string, [string, string]> = {
  ready: ['good', '✓'],
  loading: ['warn', '…'],
  'warming-up': ['warn', '…'],
  draining: ['warn', '↓'],
  unloading: ['warn', '↓'],
  unloaded: ['', '○'],
  failed: ['bad', '✕'],
};

function VersionRow({ model, isChosen }: { model: ModelOverview; isChosen: boolean }): JSX.Element {
  const [style, mark] = stateMarks[model.state] ?? ['', '·'];
  return (
    <tr class={isChosen ? 'chosen' : ''}>
      <th scope="row">
        <a href={hashOf({ view: 'models', model: keyOf(model) })} aria-current={isChosen ? 'true' : undefined}>
          {model.name}
        </a>
      </th>
      <td class="code">{model.version}</td>
      <td>
        <span class={`chip ${style}`}>
          {mark} {model.state}
        </span>
        {model.reason && <span class="reason">{model.reason}</span>}
      </td>
      <td>
        {model.labels.map((label) => (
          <span key={label} class="chip">
            {label}
          </span>
        ))}
      </td>
      <td>{formatPercent(model.share)}</td>
      <td>{formatNumber(model.inFlight)}</td>
      <td>{model.memoryBytes > 0 ? formatBytes(model.memoryBytes) : '–'}</td>
    </tr>
  );
}

function Properties({ model }: { model: ModelOverview }): JSX.Element {
  const { platform, properties, inputs, outputs } = model.description!;
  const shape = ({ name, shape: axes }: { name: string; shape: readonly number[] }): string =>
    `${name} [${axes.map((axis) => (axis === -1 ? 'N' : axis)).join(', ')}]`;
  const rows: [string, string][] = [
    ['Platform', platform],
    ['Inputs', inputs.map(shape).join(', ')],
    ['Outputs', outputs.map(shape).join(', ')],
    ...Object.entries(properties).map(([name, value]): [string, string] => [name.replaceAll('_', ' '), value]),
  ];
  return (
    <dl class="facts">
      {rows.map(([name, value]) => (
        <div key={name} class="wide">
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
