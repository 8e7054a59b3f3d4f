/**
 * LeNet-5 on MNIST: mean test log likelihood at 0, 90 and 180 degrees of rotation, for the MAP, temperature scaling, and posteriors over
 * subnetworks chosen by several rules.
 *
 *   npm run bench -- rotated-mnist [S] [MODEL]      S default 2000; MODEL a trained folder, else one is trained
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sublace } from './sublace.ts';

interface Scores {
  readonly scores: readonly { readonly predictor: string; readonly nll: number; readonly accuracy: number; readonly ece: number }[];
}

const RULES = ['random', 'largest-variance', 'gradient-energy'];
const ANGLES = [0, 90, 180];

/**
 * Runs the comparison and prints a table.
 *
 * @param args  Size of the subnetworks, and a trained model.
 */
export function rotatedMnist([size = '2000', given]: readonly string[]): void {
  const folder = mkdtempSync(join(tmpdir(), 'sublace-bench-'));
  const model = given ?? join(folder, 'model');
  if (!given) {
    const { test } = sublace<{ test: { accuracy: number } }>('train', '--data', 'mnist', '--arch', 'lenet5', '--out', model);
    console.log(`LeNet-5 on 60,000 MNIST images: test accuracy ${(100 * test.accuracy).toFixed(2)} %`);
  }
  console.log(`mean test log likelihood (accuracy %), ${ANGLES.join(', ')} degrees\n`);
  const row = (name: string, cells: readonly string[]): void =>
    console.log(name.padEnd(32) + cells.map((cell) => cell.padStart(18)).join(''));
  for (const [i, rule] of RULES.entries()) {
    const posterior = join(folder, rule);
    const { manifest } = sublace<{ manifest: { priorPrecision: number } }>(
      'fit',
      '--model',
      model,
      '--data',
      'mnist',
      '--subnetwork',
      `${rule}:${size}`,
      '--out',
      posterior,
    );
    const results = ANGLES.map((angle) => sublace<Scores>('evaluate', '--posterior', posterior, '--data', `mnist?rotate=${angle}`).scores);
    const cells = (predictor: string): string[] =>
      results.map((scores) => {
        const score = scores.find((candidate) => candidate.predictor === predictor);
        return score ? `${(-score.nll).toFixed(4)} (${(100 * score.accuracy).toFixed(1)})` : '-';
      });
    if (i === 0) for (const predictor of ['MAP', 'MAP + temperature']) row(predictor, cells(predictor));
    row(`${rule}, prior ${manifest.priorPrecision.toPrecision(3)}`, cells('Sublace'));
  }
}
