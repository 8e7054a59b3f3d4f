import type { JSX } from 'preact';
import { LineChart } from '../charts/line-chart.tsx';
import { niceEnd } from '../charts/scale.ts';
import { formatDuration, formatNumber } from '../format/numbers.ts';
import { ModelPicker } from '../model-picker.tsx';
import { historySeconds, secondsOf, type History } from '../server/history.ts';
import { keyOf, type ModelOverview, type Overview } from '../server/overview.ts';
import { liveLines, newest, recentMean, type LiveLines } from './live-charts.ts';

/** What the view shows. */
export interface LiveViewProps {
  readonly overview: Overview;
  readonly history: History;
  readonly chosen: ModelOverview;
  readonly isPaused: boolean;
  readonly onPause: (isPaused: boolean) => void;
}

/**
 * How the server does: latency, throughput, batches and queue of one version, second by second.
 *
 * @param props  What it shows.
 * @returns  The view.
 */
export function LiveView({ overview, history, chosen, isPaused, onPause }: LiveViewProps): JSX.Element {
  const lines = liveLines(secondsOf(history, keyOf(chosen), overview.atMs));
  return (
    <>
      <div class="view-head">
        <h1>Live</h1>
        <ModelPicker view="live" models={overview.models} chosen={chosen} />
        <button type="button" class="pause" aria-pressed={isPaused} onClick={() => onPause(!isPaused)}>
          {isPaused ? '▶ Go on' : '❚❚ Pause'}
        </button>
      </div>
      {chosen.statistics ? (
        <>
          <Tiles lines={lines} model={chosen} />
          <Charts lines={lines} />
        </>
      ) : (
        <p class="notice">The server counts nothing for this version yet.</p>
      )}
    </>
  );
}

function Tiles({ lines, model }: { lines: LiveLines; model: ModelOverview }): JSX.Element {
  const statistics = model.statistics!;
  const last = (values: readonly number[]): number | null => newest(values);
  const latency = (value: number | null): string => formatDuration(value === null ? null : value / 1000);
  const tiles: [string, string, string][] = [
    ['Latency, p50', latency(last(lines.p50)), `p95 ${latency(last(lines.p95))} · p99 ${latency(last(lines.p99))}`],
    ['Throughput', `${formatNumber(recentMean(lines.answered))} /s`, `${formatNumber(statistics.succeeded)} answered since the start`],
    ['Batch', formatNumber(last(lines.batchSize)), `examples on average · ${formatNumber(statistics.batches)} batches`],
    ['Waiting', formatNumber(statistics.pending), `${formatNumber(model.inFlight)} being answered`],
    ['Failed', formatNumber(statistics.failed), 'requests since the start'],
  ];
  return (
    <dl class="tiles">
      {tiles.map(([name, value, note]) => (
        <div key={name} class="panel">
          <dt>{name}</dt>
          <dd>
            <b>{value}</b>
            <span class="note">{note}</span>
          </dd>
        </div>
      ))}
    </dl>
  );
}

const seconds = (value: number): string => (value === 0 ? 'now' : `${formatNumber(value)} s`);
const xTicks = [-historySeconds, -90, -60, -30, 0];
const xRange: [number, number] = [-historySeconds, 0];

function Charts({ lines }: { lines: LiveLines }): JSX.Element {
  const { x, p50, p95, p99, answered, failed, batchSize, pending } = lines;
  const common = { x, xRange, xTicks, xLabel: 'Seconds before now', formatX: seconds, height: 190 };
  const now = (values: readonly number[], unit: string): string => {
    const value = newest(values);
    return value === null ? 'nothing in the last ten seconds' : `${formatNumber(value)}${unit}`;
  };
  return (
    <div class="charts">
      <div class="panel">
        <LineChart
          {...common}
          title="Latency, ms"
          summary={`Newest: p50 ${now(p50, ' ms')}, p95 ${now(p95, ' ms')}, p99 ${now(p99, ' ms')}.`}
          series={[
            { name: 'p99', values: p99, style: 'p99' },
            { name: 'p95', values: p95, style: 'p95' },
            { name: 'p50', values: p50, style: 'p50' },
          ]}
          yRange={[0, niceEnd([...p50, ...p95, ...p99], 1)]}
          formatY={(value) => formatNumber(value)}
        />
      </div>
      <div class="panel">
        <LineChart
          {...common}
          title="Requests per second"
          summary={`Newest: ${now(answered, '')} answered, ${now(failed, '')} failed.`}
          series={[
            { name: 'answered', values: answered, style: 'sublace' },
            { name: 'failed', values: failed, style: 'failed' },
          ]}
          yRange={[0, niceEnd([...answered, ...failed], 5)]}
          formatY={(value) => formatNumber(value)}
        />
      </div>
      <div class="panel">
        <LineChart
          {...common}
          title="Examples in a batch"
          summary={`Newest mean: ${now(batchSize, '')}.`}
          series={[{ name: 'mean', values: batchSize, style: 'sublace' }]}
          yRange={[0, niceEnd(batchSize, 4)]}
          formatY={(value) => formatNumber(value)}
        />
      </div>
      <div class="panel">
        <LineChart
          {...common}
          title="Requests that wait"
          summary={`Now: ${now(pending, '')}.`}
          series={[{ name: 'in the queue', values: pending, style: 'map' }]}
          yRange={[0, niceEnd(pending, 4)]}
          formatY={(value) => formatNumber(value)}
        />
      </div>
    </div>
  );
}
