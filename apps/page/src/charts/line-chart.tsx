import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { chartTable, nearestIndex, type Band, type Series } from './chart-data.ts';
import { ChartDetails } from './chart-details.tsx';
import { bandPath, linePath } from './paths.ts';
import { linearScale, ticks } from './scale.ts';
import { useWidth } from './use-width.ts';

/** What a chart shows, and in which words. */
export interface LineChartProps {
  readonly title: string;
  /** What one would see, in a sentence: the chart's text for a screen reader. */
  readonly summary: string;
  readonly xLabel: string;
  readonly x: readonly number[];
  readonly series: readonly Series[];
  readonly bands?: readonly Band[];
  readonly yRange: readonly [number, number];
  /** By default that of `x`. */
  readonly xRange?: readonly [number, number];
  readonly formatX: (value: number) => string;
  readonly formatY: (value: number) => string;
  /** By default as `formatX`. */
  readonly formatXTick?: (value: number) => string;
  /** Places along x that shall carry a number; by default round ones. */
  readonly xTicks?: readonly number[];
  /** A line at this x, for what is chosen elsewhere on the page. */
  readonly marker?: number;
  /** An x range with a name, drawn at the foot of the chart. */
  readonly span?: { readonly from: number; readonly to: number; readonly name: string };
  readonly height?: number;
}

/** Half a line, so that one along the edge of the plot is not cut. */
const lineRoom = 2;

const margin = { left: 46, right: 14, top: 10, bottom: 26 };

/**
 * Curves and bands over an axis, as SVG; with a legend, the values under the pointer, and the numbers as a table.
 *
 * @param props  What it shows.
 * @returns  A figure.
 */
export function LineChart(props: LineChartProps): JSX.Element {
  const {
    title,
    summary,
    xLabel,
    x,
    series,
    bands = [],
    yRange,
    formatX,
    formatY,
    formatXTick = formatX,
    marker,
    span,
    height = 210,
  } = props;
  const [ref, width] = useWidth(600);
  const [pointed, setPointed] = useState<number | null>(null);
  const [x0, x1] = props.xRange ?? [x[0] ?? 0, x.at(-1) ?? 1];
  const right = width - margin.right;
  const bottom = height - margin.bottom;
  const xScale = linearScale(x0, x1, margin.left, right);
  const yScale = linearScale(yRange[0], yRange[1], bottom, margin.top);
  const curve = (values: readonly number[]): { x: number; y: number }[] =>
    values.map((value, i) => ({ x: xScale.place(x[i]), y: Number.isFinite(value) ? yScale.place(value) : NaN }));
  const xTicks = thinned(props.xTicks ?? ticks(x0, x1, Math.max(2, Math.floor(width / 90))), width).filter(
    (value) => value >= x0 && value <= x1,
  );
  const index = pointed === null || x.length === 0 ? null : nearestIndex(x, pointed);
  const point = (event: PointerEvent & { currentTarget: SVGSVGElement }): void => {
    setPointed(xScale.value(event.clientX - event.currentTarget.getBoundingClientRect().left));
  };

  return (
    <figure class="chart">
      <figcaption>
        <span class="chart-title">{title}</span>
        <Legend series={series} bands={bands} />
      </figcaption>
      <div ref={ref} class="chart-area">
        <svg
          role="img"
          aria-label={`${title}. ${summary}`}
          width={width}
          height={height}
          viewBox={`0 0 ${width} ${height}`}
          onPointerMove={point}
          onPointerLeave={() => setPointed(null)}
        >
          <g class="grid">
            {ticks(yScale.low, yScale.high, Math.max(2, Math.floor(height / 50))).map((value) => (
              <g key={value}>
                <line x1={margin.left} x2={right} y1={yScale.place(value)} y2={yScale.place(value)} />
                <text x={margin.left - 8} y={yScale.place(value) + 4} text-anchor="end">
                  {formatY(value)}
                </text>
              </g>
            ))}
            {xTicks.map((value) => (
              <text key={value} x={xScale.place(value)} y={height - 8} text-anchor="middle">
                {formatXTick(value)}
              </text>
            ))}
            <line class="axis" x1={margin.left} x2={right} y1={bottom} y2={bottom} />
          </g>
          <svg
            x={margin.left}
            y={margin.top - lineRoom}
            width={Math.max(0, right - margin.left)}
            height={bottom - margin.top + 2 * lineRoom}
            viewBox={`${margin.left} ${margin.top - lineRoom} ${Math.max(1, right - margin.left)} ${bottom - margin.top + 2 * lineRoom}`}
          >
            {span && <Span from={xScale.place(span.from)} to={xScale.place(span.to)} bottom={bottom} />}
            {bands.map(({ name, upper, lower, style }) => (
              <path key={name} class={`band ${style}`} d={bandPath(curve(upper), curve(lower))} />
            ))}
            {series.map(({ name, values, style }) => (
              <path key={name} class={`line ${style}`} d={linePath(curve(values))} />
            ))}
            {marker !== undefined && (
              <line class="marker" x1={xScale.place(marker)} x2={xScale.place(marker)} y1={margin.top} y2={bottom} />
            )}
            {index !== null && <line class="pointer" x1={xScale.place(x[index])} x2={xScale.place(x[index])} y1={margin.top} y2={bottom} />}
          </svg>
        </svg>
        {index !== null && (
          <p class={`readout ${xScale.place(x[index]) > width / 2 ? 'at-left' : 'at-right'}`} aria-hidden="true">
            <strong>{formatX(x[index])}</strong>
            {series.map(({ name, values }) => (
              <span key={name}>
                {name}: {formatY(values[index])}
              </span>
            ))}
            {bands.map(({ name, lower, upper }) => (
              <span key={name}>
                {name}: {formatY(lower[index])} to {formatY(upper[index])}
              </span>
            ))}
          </p>
        )}
      </div>
      <ChartDetails title={title} table={() => chartTable({ xLabel, x, series, bands }, formatX, formatY)} />
    </figure>
  );
}

/** On a narrow screen every second number has to do, or fewer. */
function thinned(values: readonly number[], width: number): number[] {
  const step = Math.ceil((values.length * 56) / width);
  return values.filter((_, i) => i % step === 0);
}

function Span({ from, to, bottom }: { from: number; to: number; bottom: number }): JSX.Element {
  return (
    <g class="span">
      <rect x={from} width={Math.max(0, to - from)} y={margin.top} height={bottom - margin.top} />
      <line x1={from} x2={from} y1={margin.top} y2={bottom} />
      <line x1={to} x2={to} y1={margin.top} y2={bottom} />
    </g>
  );
}

function Legend({ series, bands }: { series: readonly Series[]; bands: readonly Band[] }): JSX.Element {
  return (
    <ul class="legend">
      {series.map(({ name, style }) => (
        <li key={name}>
          <svg width="26" height="10" aria-hidden="true">
            <path class={`line ${style}`} d="M1,5L25,5" />
          </svg>
          {name}
        </li>
      ))}
      {bands.map(({ name, style }) => (
        <li key={name}>
          <svg width="26" height="12" aria-hidden="true">
            <rect class={`band ${style}`} width="26" height="12" rx="2" />
          </svg>
          {name}
        </li>
      ))}
    </ul>
  );
}
