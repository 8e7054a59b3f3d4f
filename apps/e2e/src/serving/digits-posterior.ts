import { join } from 'node:path';
import { runSublace } from '../command-line/run-sublace.ts';

/**
 * Fits a small classifier of the built-in digits: input [N, 28, 28, 1] in 0..255, ten classes.
 *
 * @param folder  Where to put model and posterior, under names of their own.
 * @returns  Folder of the posterior.
 */
export async function fitDigitsPosterior(folder: string): Promise<{ place: string }> {
  const data = 'digits?limit=1000';
  const model = join(folder, 'digits-model');
  const place = join(folder, 'digits-posterior');
  await runToEnd('train', '--data', data, '--arch', 'mlp:16x1', '--epochs', '5', '--out', model);
  await runToEnd('fit', '--model', model, '--data', data, '--subnetwork', 'gradient-energy:50', '--workers', '1', '--out', place);
  return { place };
}

async function runToEnd(...args: string[]): Promise<void> {
  const { status, stderr } = await runSublace(args);
  if (status !== 0) throw new Error(`sublace ${args.join(' ')}: expected exit code 0, got ${status}:\n${stderr}`);
}
