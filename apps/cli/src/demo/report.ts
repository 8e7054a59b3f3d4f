import { barChart, lineChart } from './charts.ts';
import type { DemoImage } from './choose-pair.ts';
import type { Question } from './ask-server.ts';
import type { DemoResult } from './run-demo.ts';
import type { RotationPoint } from './rotation-curve.ts';

/** Losses that the chart of the prior shows lie within this of the smallest. */
const PRIOR_CHART_NATS = 0.1;

const STYLE = `
  :root { color-scheme: light; }
  body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; max-width: 1080px; margin: 2rem auto; padding: 0 1rem; }
  h1 { font-size: 1.7rem; margin-bottom: .2rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
  .row { display: flex; flex-wrap: wrap; gap: 1.5rem; align-items: center; } .row > figure { margin: 0; }
  table { border-collapse: collapse; font-variant-numeric: tabular-nums; } th, td { padding: .25rem .8rem; text-align: right; border-bottom: 1px solid #ddd; }
  th:first-child, td:first-child { text-align: left; } figcaption { font-size: .9rem; color: #444; text-align: center; } svg { max-width: 100%; height: auto; }
  .lead { font-size: 1.1rem; color: #333; }`;

/**
 * The demo's report: one HTML page with inline SVG that needs nothing else.
 *
 * @param result  What the demo found.
 * @returns  HTML text.
 */
export function renderReport(result: DemoResult): string {
  const { manifest, questions } = result;
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Sublace demo</title><style>${STYLE}</style></head>
<body>
<h1>Sublace: a network that knows when it does not know</h1>
<p class="lead">A LeNet-5 was trained on ${escape(result.data)} and given a full-covariance posterior over ${manifest.subnetwork.size.toLocaleString('en')} of its
${manifest.model.parameterCount.toLocaleString('en')} weights. Turned digits are unlike anything it was trained on.</p>

<h2>Upright digits to digits on their heads</h2>
<div class="row">${rotationCharts(result.curve)
    .map((svg) => `<figure>${svg}</figure>`)
    .join('\n')}</div>
${rotationTable(result.curve)}
<p>NLL is the mean negative log likelihood in nats: lower is better, and it punishes being wrong and sure. Sublace nearly always keeps the class that the
MAP predicts and changes how sure it is. Its prior precision was chosen on ${manifest.validation.exampleCount} held-out upright digits: the widest posterior that costs at most a
hundredth of a nat there.</p>

<h2>Two questions to the served posterior</h2>
${questions.map(questionRow).join('\n')}

<h2>The fit</h2>
<div class="row">${table(['', ''], facts(result))}<figure>${priorChart(manifest)}</figure></div>
<h2>Where the time went</h2>
${table(
  ['phase', 'tasks', 'seconds', 'MB moved'],
  result.phases.map(({ phase, shardCount, seconds, bytesPulled }) => [
    phase,
    String(shardCount),
    seconds.toFixed(2),
    (bytesPulled / 1e6).toFixed(1),
  ]),
)}
<h2>Where the subnetwork lies</h2>
${table(
  ['weights', 'chosen', 'of'],
  manifest.subnetwork.report.layers.map(({ layer, weight, selected, total }) => [
    `${layer}/${weight}`,
    selected.toLocaleString('en'),
    total.toLocaleString('en'),
  ]),
)}
</body>
</html>
`;
}

/**
 * NLL and accuracy against rotation, one chart each.
 *
 * @param curve  Scores per angle.
 * @returns  Two `<svg>` elements.
 */
export function rotationCharts(curve: readonly RotationPoint[]): [string, string] {
  const x = { name: 'rotation, degrees', values: curve.map((point) => point.degrees) };
  const names = curve[0].scores.map((score) => score.predictor);
  const series = (value: (point: RotationPoint, i: number) => number): { name: string; values: number[] }[] =>
    names.map((name, i) => ({ name, values: curve.map((point) => value(point, i)) }));
  return [
    lineChart({ title: 'Negative log likelihood', x, y: 'nats', series: series((point, i) => round(point.scores[i].nll)) }),
    lineChart({ title: 'Accuracy', x, y: '%', series: series((point, i) => round(100 * point.scores[i].accuracy)) }),
  ];
}

/** Held-out NLL against the prior precision at half decades, without the far end where it explodes. */
function priorChart({ prior, priorPrecision }: DemoResult['manifest']): string {
  const halfDecades = (prior.curve ?? []).filter((point) => {
    const steps = 2 * Math.log10(point.priorPrecision);
    return Math.abs(steps - Math.round(steps)) < 1e-6;
  });
  const smallest = Math.min(...halfDecades.map(({ loss }) => loss));
  const shown = halfDecades.filter(({ loss }) => loss < smallest + PRIOR_CHART_NATS);
  return lineChart({
    title: `Held-out NLL (${priorPrecision.toPrecision(3)} chosen)`,
    x: { name: 'prior precision', values: shown.map((point) => Number(point.priorPrecision.toPrecision(2))) },
    y: 'nats',
    series: [{ name: 'Sublace', values: shown.map(({ loss }) => round(loss)) }],
  });
}

function rotationTable(curve: readonly RotationPoint[]): string {
  const shown = curve.filter(({ degrees }) => degrees % 45 === 0);
  const rows = curve[0].scores.map(({ predictor }, i) => [predictor, ...shown.map((point) => point.scores[i].nll.toFixed(3))]);
  return table(['NLL at', ...shown.map(({ degrees }) => `${degrees}&deg;`)], rows);
}

function questionRow({ image, mapProbabilities, probabilities, entropy, logitVariance }: Question): string {
  const top = (values: readonly number[]): string => {
    const best = values.indexOf(Math.max(...values));
    return `${best} (${(100 * values[best]).toFixed(1)} %)`;
  };
  const bars = barChart('class probabilities', [{ name: 'MAP', values: mapProbabilities.map(round) }, { name: 'Sublace', values: probabilities.map(round) }]); // prettier-ignore
  const answer = table(['', 'answer'], [
    ['truth', String(image.label)],
    ['MAP', top(mapProbabilities)],
    ['Sublace', top(probabilities)],
    ['entropy of Sublace', `${entropy.toFixed(3)} of ${Math.log(probabilities.length).toFixed(3)} nats`],
    ['largest logit variance', logitVariance.toFixed(2)],
  ]); // prettier-ignore
  return `<div class="row"><figure>${digitSvg(image)}<figcaption>a ${image.label}, ${escape(image.title)}</figcaption></figure><figure>${bars}</figure>${answer}</div>`;
}

/** The image as one square per inked pixel. */
function digitSvg({ pixels, inputShape: [height, width], label, title }: DemoImage): string {
  const squares = Array.from(pixels, (value, i) => ({ value: Math.round(value), x: i % width, y: Math.floor(i / width) }))
    .filter(({ value }) => value > 4)
    .map(({ value, x, y }) => `<rect x="${x}" y="${y}" width="1.02" height="1.02" fill-opacity="${(value / 255).toFixed(2)}"/>`);
  const label_ = `a handwritten ${label}, ${escape(title)}`;
  return `<svg width="140" height="140" viewBox="0 0 ${width} ${height}" role="img" aria-label="${label_}" style="border:1px solid #ccc">${squares.join('')}</svg>`;
}

function facts({ manifest, trained, runtime, seconds }: DemoResult): string[][] {
  const { subnetwork } = manifest;
  return [
    ['test accuracy of the MAP', `${(100 * (trained.test?.accuracy ?? Number.NaN)).toFixed(2)} %`],
    ['subnetwork', `${subnetwork.rule}: ${subnetwork.size} weights`],
    ['dead weights left out', `${subnetwork.report.deadCount} of ${subnetwork.report.candidateCount} candidates`],
    ['share of the GGN diagonal kept', `${(100 * subnetwork.report.diagonalMassShare).toFixed(1)} %`],
    ['effective dimension', `${manifest.effectiveDimension.toFixed(0)} of ${subnetwork.size}`],
    ['prior precision', `${manifest.priorPrecision.toPrecision(3)} (${escape(manifest.prior.method)})`],
    ['posterior digest', `<code>${manifest.digest.slice(0, 16)}</code>`],
    ['runtime', escape(runtime)],
    ['whole demo', `${seconds.toFixed(0)} s`],
  ];
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = header.some((cell) => cell !== '') ? `<thead><tr>${header.map((cell) => `<th>${cell}</th>`).join('')}</tr></thead>` : '';
  return `<table>${head}<tbody>${rows.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join('')}</tr>`).join('')}</tbody></table>`;
}

function round(value: number): number {
  return Number(value.toFixed(4));
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
