import { resolve } from 'node:path';
import { Command } from 'commander';
import { checkOutputFolder } from '../output-folder.ts';
import { runDemo, type DemoResult } from '../demo/run-demo.ts';
import { count } from '../options.ts';
import { formatTable } from '../terminal/table.ts';
import type { Terminal } from '../terminal/terminal.ts';

/**
 * `sublace demo`: the main job end to end, in about a minute.
 *
 * @param terminal  Makes the terminal once the global options are known.
 * @returns  The command.
 */
export function demoCommand(terminal: () => Terminal): Command {
  return new Command('demo')
    .description('the main job end to end, in about a minute: train, fit, evaluate under rotation, serve, ask, report')
    .option('--out <dir>', 'folder for model, posterior and report', 'sublace-demo')
    .option('--workers <count>', 'worker processes', count({ min: 1, max: 64 }), 2)
    .action(async ({ out, workers }: { out: string; workers: number }) => {
      const result = await runDemo({ output: checkOutputFolder(resolve(out)), workers }, terminal());
      const { report, seconds, data, curve, questions, manifest } = result;
      const asked = questions.map(({ image, ...answer }) => ({ title: image.title, label: image.label, ...answer }));
      terminal().result({ report, seconds, data, curve, questions: asked, manifest }, () => describe(result));
    });
}

function describe({ curve, questions, report, seconds, manifest }: DemoResult): string {
  const names = curve[0].scores.map((score) => score.predictor);
  const rows = curve.map(({ degrees, scores }) => [
    degrees,
    ...scores.map((score) => score.nll.toFixed(3)),
    ...[scores[0], scores[scores.length - 1]].map(({ accuracy }) => `${(100 * accuracy).toFixed(1)} %`),
  ]);
  const answers = questions.map(({ image, mapProbabilities, probabilities, entropy }) => [
    `a ${image.label}, ${image.title}`,
    top(mapProbabilities),
    top(probabilities),
    entropy.toFixed(3),
  ]);
  return [
    formatTable(['rotation', ...names.map((name) => `NLL ${name}`), `accuracy ${names[0]}`, `accuracy ${names[names.length - 1]}`], rows),
    formatTable(['asked about', 'MAP says', 'Sublace says', 'entropy, nats'], answers),
    `posterior over ${manifest.subnetwork.size} of ${manifest.model.parameterCount} weights, digest ${manifest.digest.slice(0, 16)}`,
    `report: ${report} (${seconds.toFixed(0)} s)`,
  ].join('\n\n');
}

/** The most probable class and its probability. */
function top(probabilities: readonly number[]): string {
  const best = probabilities.indexOf(Math.max(...probabilities));
  return `${best} with ${(100 * probabilities[best]).toFixed(1)} %`;
}
