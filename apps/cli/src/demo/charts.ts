import { FONT, renderSvg } from '../charts/render-svg.ts';

/** A named line. */
export interface Series {
  readonly name: string;
  readonly values: readonly number[];
}

/** Colours that colour-blind readers can tell apart (Okabe and Ito 2008), by predictor. */
const COLOURS: Readonly<Record<string, string>> = { MAP: '#D55E00', 'MAP + temperature': '#E69F00', Sublace: '#0072B2' };

/**
 * A chart with one line per predictor, as SVG text.
 *
 * @param options  Title, axes and lines.
 * @param options.title  What is shown.
 * @param options.x  Name and values of the horizontal axis.
 * @param options.y  Name of the vertical axis.
 * @param options.series  Lines, as long as `x.values`.
 * @returns  An `<svg>` element.
 */
export function lineChart(options: {
  title: string;
  x: { name: string; values: readonly number[] };
  y: string;
  series: readonly Series[];
}): string {
  return renderSvg(520, 340, {
    title: { text: options.title, left: 'center', textStyle: { ...FONT, fontSize: 15 } },
    legend: { bottom: 0, itemGap: 28, textStyle: FONT },
    grid: { left: 64, right: 24, top: 48, bottom: 84 },
    xAxis: {
      type: 'category',
      name: options.x.name,
      nameLocation: 'middle',
      nameGap: 30,
      data: options.x.values.map(String),
      boundaryGap: false,
    },
    yAxis: { type: 'value', name: options.y, nameTextStyle: FONT },
    series: options.series.map(({ name, values }) => ({
      type: 'line',
      name,
      data: [...values],
      symbolSize: 6,
      lineStyle: { width: name === 'Sublace' ? 3 : 2 },
      itemStyle: { color: COLOURS[name] },
    })),
  });
}

/**
 * Bars of class probabilities, one group per class, as SVG text.
 *
 * @param title  What is shown.
 * @param series  One set of bars per predictor, each [C].
 * @returns  An `<svg>` element.
 */
export function barChart(title: string, series: readonly Series[]): string {
  return renderSvg(420, 260, {
    title: { text: title, left: 'center', textStyle: { ...FONT, fontSize: 14 } },
    legend: { bottom: 0, itemGap: 28, textStyle: FONT },
    grid: { left: 48, right: 16, top: 40, bottom: 64 },
    xAxis: { type: 'category', data: series[0].values.map((_, c) => String(c)) },
    yAxis: { type: 'value', min: 0, max: 1 },
    series: series.map(({ name, values }) => ({ type: 'bar', name, data: [...values], itemStyle: { color: COLOURS[name] } })),
  });
}
