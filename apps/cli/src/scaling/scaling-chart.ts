// cspell:words meas pred
import { STAGES, type Stage } from '@sublace/simulation';
import { FONT, renderSvg } from '../charts/render-svg.ts';
import { SOURCE_NAMES, type ScalingPoint, type Source } from './scaling-point.ts';

/** Colours that colour-blind readers can tell apart (Okabe and Ito 2008). */
const STAGE_COLOURS: Readonly<Record<Stage, readonly [red: number, green: number, blue: number]>> = {
  plan: [153, 153, 153],
  score: [230, 159, 0],
  select: [240, 228, 66],
  accumulate: [0, 114, 178],
  finalise: [213, 94, 0],
  publish: [0, 158, 115],
};

/** Sources differ in colour, mark and line: only what was measured is filled and drawn through. */
const MARKS: Readonly<Record<Source, { colour: string; symbol: string; line: 'solid' | 'dashed' | 'dotted' }>> = {
  measured: { colour: '#0072B2', symbol: 'circle', line: 'solid' },
  crowded: { colour: '#0072B2', symbol: 'rect', line: 'dotted' },
  predicted: { colour: '#D55E00', symbol: 'emptyDiamond', line: 'dashed' },
  simulated: { colour: '#009E73', symbol: 'emptyTriangle', line: 'dotted' },
};

/** Names below bars, where there is room for little. */
const SHORT_NAMES: Readonly<Record<Source, string>> = { measured: 'meas.', crowded: 'meas.*', predicted: 'pred.', simulated: 'sim.' };
/** From here on bars are narrower than the names of their sources. */
const BARS_MANY = 7;

const SOURCES = Object.keys(MARKS) as Source[];
const IDEAL = 'ideal';
/** The ideal line has no marks, in the legend neither. */
const PLAIN_LINE = 'path://M0,9 L32,9 L32,10.5 L0,10.5 Z';
/** Opacity of bars that were not measured. */
const PALE = 0.45;

const [WIDTH, HEIGHT, TOP, BOTTOM] = [1180, 546, 80, 132];

/**
 * Two panels as SVG text: speed-up against the number of workers, and the time of every stage as a share of the whole, which stays readable from one
 * worker to a thousand. What was measured, predicted and simulated is told apart in both.
 *
 * @param title  What was fitted.
 * @param points  Any number, in any order.
 * @returns  An `<svg>` element.
 */
export function scalingChart(title: string, points: readonly ScalingPoint[]): string {
  const present = SOURCES.filter((source) => points.some((point) => point.source === source));
  const bars = present.flatMap((source) => sorted(points, source));
  return renderSvg(WIDTH, HEIGHT, {
    title: [
      { text: title, left: 'center', top: 4, textStyle: { ...FONT, fontSize: 15 } },
      { text: 'speed-up', left: 300, top: 34, textAlign: 'center', textStyle: { ...FONT, fontWeight: 'normal' } },
      { text: 'wall time by stage, share of the whole; above: seconds', left: 900, top: 34, textAlign: 'center', textStyle: { ...FONT, fontWeight: 'normal' } },
    ],
    grid: [
      { left: 64, width: 470, top: TOP, bottom: BOTTOM },
      { left: 640, right: 24, top: TOP, bottom: BOTTOM },
    ],
    legend: [
      { data: [{ name: IDEAL, icon: PLAIN_LINE }, ...present.map((source) => SOURCE_NAMES[source])], left: 64, width: 480, bottom: 12, itemGap: 24, itemWidth: 32, textStyle: FONT },
      { data: [...STAGES], left: 640, width: 520, bottom: 12, itemGap: 18, textStyle: FONT },
    ],
    xAxis: [
      { type: 'log', gridIndex: 0, name: 'workers', nameLocation: 'middle', nameGap: 30, min: 1, max: decadeAbove(points.map((point) => point.workerCount)) },
      {
        type: 'category',
        gridIndex: 1,
        name: 'workers',
        nameLocation: 'middle',
        nameGap: 46,
        data: bars.map(({ workerCount, source }) => `${workerCount}\n${bars.length > BARS_MANY ? SHORT_NAMES[source] : source}`),
        axisLabel: { interval: 0, fontSize: 11 },
      },
    ],
    yAxis: [
      { type: 'log', gridIndex: 0, min: 1, max: decadeAbove(points.map((point) => point.workerCount)), name: 'T(1) / T(W)', nameTextStyle: FONT, nameGap: 10 },
      { type: 'value', gridIndex: 1, min: 0, max: 100, axisLabel: { formatter: '{value} %' } },
    ],
    series: [idealLine(points), ...present.map((source) => line(source, sorted(points, source))), ...STAGES.map((stage) => stack(stage, bars))],
  }); // prettier-ignore
}

function sorted(points: readonly ScalingPoint[], source: Source): ScalingPoint[] {
  return points.filter((point) => point.source === source).sort((a, b) => a.workerCount - b.workerCount);
}

/** The power of two or ten at which the axis ends. */
function decadeAbove(counts: readonly number[]): number {
  const most = Math.max(2, ...counts);
  return most <= 10 ? 10 : 10 ** Math.ceil(Math.log10(most));
}

function idealLine(points: readonly ScalingPoint[]): object {
  const end = decadeAbove(points.map((point) => point.workerCount));
  return {
    type: 'line',
    name: IDEAL,
    xAxisIndex: 0,
    yAxisIndex: 0,
    data: [[1, 1], [end, end]],
    symbol: 'none',
    lineStyle: { color: '#999999', width: 1 },
    itemStyle: { color: '#999999' },
  }; // prettier-ignore
}

function line(source: Source, points: readonly ScalingPoint[]): object {
  const { colour, symbol, line: type } = MARKS[source];
  return {
    type: 'line',
    name: SOURCE_NAMES[source],
    xAxisIndex: 0,
    yAxisIndex: 0,
    // A logarithmic axis has no place for less than 1; such a point is drawn at the edge, and the table has its value.
    data: points.map(({ workerCount, speedUp }) => [workerCount, Math.max(1, round(speedUp))]),
    symbol,
    symbolSize: 9,
    showSymbol: true,
    lineStyle: { color: colour, width: source === 'measured' ? 2.5 : 1.5, type },
    itemStyle: { color: colour },
  };
}

function stack(stage: Stage, points: readonly ScalingPoint[]): object {
  return {
    type: 'bar',
    name: stage,
    stack: 'stages',
    xAxisIndex: 1,
    yAxisIndex: 1,
    itemStyle: { color: colourOf(stage, 1) },
    data: points.map((point) => ({
      value: round((100 * secondsOf(point, stage)) / point.seconds),
      itemStyle: { color: colourOf(stage, point.source === 'measured' || point.source === 'crowded' ? 1 : PALE) },
    })),
    // The last stage is on top of the bar: it carries the total.
    ...(stage === STAGES.at(-1) && {
      label: { show: true, position: 'top', fontSize: 11, color: '#333333', formatter: ({ dataIndex }: { dataIndex: number }) => total(points[dataIndex].seconds) },
    }),
  }; // prettier-ignore
}

function colourOf(stage: Stage, opacity: number): string {
  return `rgba(${STAGE_COLOURS[stage].join(',')},${opacity})`;
}

function secondsOf({ stages }: ScalingPoint, stage: Stage): number {
  return stages.find((each) => each.stage === stage)?.seconds ?? 0;
}

function total(seconds: number): string {
  return seconds < 100 ? seconds.toPrecision(3) : Math.round(seconds).toLocaleString('en');
}

function round(value: number): number {
  return Number(value.toPrecision(5));
}
