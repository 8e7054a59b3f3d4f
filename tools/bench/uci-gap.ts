/**
 * UCI gap splits with an MLP of 50 units: mean test log likelihood and RMSE of the MAP and of posteriors, over all splits.
 *
 *   npm run bench -- uci-gap NAME [ARCHITECTURE [PRIOR...]]      for example wine, energy; default mlp:50x1; PRIOR as for --prior-precision
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findDataset, loadDataset } from '@sublace/data';
import { sublace } from './sublace.ts';

interface Scores {
  readonly scores: readonly { readonly predictor: string; readonly nll: number; readonly rmse: number }[];
}

/** Every weight, and a subnetwork of a third of an MLP of 50 units. */
const RULES = ['names:*', 'gradient-energy:200'];

/**
 * Runs every gap split and prints a table.
 *
 * @param args  Name of the UCI set without `uci-`, the architecture, and how the prior precision is found.
 */
export async function uciGap([name = 'wine', architecture = 'mlp:50x1', ...priors]: readonly string[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sublace-bench-'));
  if (!findDataset(`uci-${name}`)) throw new Error(`uci-gap: needs uci-${name}; 'sublace data download uci-${name}'`);
  const totals = new Map<string, { logLikelihoods: number[]; rmses: number[] }>();
  const add = (key: string, { nll, rmse }: Scores['scores'][number]): void => {
    const total = totals.get(key) ?? { logLikelihoods: [], rmses: [] };
    total.logLikelihoods.push(-nll);
    total.rmses.push(rmse);
    totals.set(key, total);
  };
  for (let split = 0; await exists(`uci-${name}:gap:${split}`); split++) {
    const data = `uci-${name}:gap:${split}`;
    const model = join(folder, `model-${split}`);
    sublace('train', '--data', data, '--arch', architecture, '--out', model);
    let isFirst = true;
    for (const rule of RULES) {
      for (const prior of priors.length > 0 ? priors : ['auto']) {
        const posterior = join(folder, 'posterior');
        const options = ['--subnetwork', rule, '--prior-precision', prior, '--workers', '1', '--overwrite'];
        sublace('fit', '--model', model, '--data', data, ...options, '--out', posterior);
        const { scores } = sublace<Scores>('evaluate', '--posterior', posterior, '--data', data);
        for (const score of scores) {
          if (score.predictor !== 'MAP') add(`${rule}, prior ${prior}`, score);
          else if (isFirst) add('MAP', score);
        }
        isFirst = false;
      }
    }
  }
  console.log(`uci-${name}, gap splits, ${architecture}: mean test log likelihood and RMSE +- standard deviation over splits\n`);
  for (const [key, { logLikelihoods, rmses }] of totals) {
    console.log(
      `${key.padEnd(40)} ${summary(logLikelihoods).padStart(20)} ${summary(rmses).padStart(20)}   ${logLikelihoods.length} splits`,
    );
  }
}

async function exists(spec: string): Promise<boolean> {
  return loadDataset(spec).then(
    () => true,
    () => false,
  );
}

function summary(values: readonly number[]): string {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  return `${mean.toFixed(3)} +- ${deviation.toFixed(3)}`;
}
