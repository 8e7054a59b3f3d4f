import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startBackend } from '@sublace/backend';
import { findDataset } from '@sublace/data';
import { compileFitSpec, openPosterior, trainModel, type PosteriorManifest, type TrainedModel } from '@sublace/pipeline';
import type { PhaseReport } from '@sublace/protocol';
import { runFit } from '../fit/run-fit.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { askServer, type Question } from './ask-server.ts';
import { choosePair } from './choose-pair.ts';
import { renderReport } from './report.ts';
import { rotationCurve, type RotationPoint } from './rotation-curve.ts';

/** How the demo runs. */
export interface DemoOptions {
  /** Folder for model, posterior and report. */
  readonly output: string;
  /** Worker processes. */
  readonly workers: number;
}

/** Everything that the demo found, and that the report shows. */
export interface DemoResult {
  readonly data: string;
  readonly trained: TrainedModel;
  readonly manifest: PosteriorManifest;
  readonly phases: readonly PhaseReport[];
  readonly curve: readonly RotationPoint[];
  readonly questions: readonly Question[];
  readonly runtime: string;
  readonly seconds: number;
  readonly report: string;
}

/** Small enough for about a minute, large enough for a network that is right nineteen times in twenty. */
const TRAINING_COUNT = 6000;
const EPOCHS = 8;
const SUBNETWORK = 'gradient-energy:1000';
const EVALUATED_COUNT = 500;

/**
 * The main job end to end: train, fit on worker processes, compare with the MAP under rotation, serve, ask, report.
 *
 * @param options  Where to and with how many workers.
 * @param terminal  Where progress is shown.
 * @returns  What was found; the report is written.
 * @throws {SublaceError} of whatever step fails.
 */
export async function runDemo(options: DemoOptions, terminal: Terminal): Promise<DemoResult> {
  const startedAtMs = performance.now();
  mkdirSync(options.output, { recursive: true });
  const name = findDataset('mnist') === undefined ? 'digits' : 'mnist';
  const data = name === 'mnist' ? `mnist?limit=${TRAINING_COUNT}` : `digits?count=${TRAINING_COUNT}`;
  const backend = await startBackend();
  terminal.note(
    `data: ${name === 'mnist' ? 'MNIST' : 'built-in handwriting-like digits'}, ${TRAINING_COUNT} training images; runtime: ${backend.name} ${backend.version}`,
  );

  const model = join(options.output, 'model');
  const trained = await train(data, model, terminal);
  const posterior = join(options.output, 'posterior');
  const spec = compileFitSpec({ model, data, subnetwork: SUBNETWORK, output: posterior, overwrite: true });
  const { posteriors, phases } = await runFit(spec, { workerCount: options.workers, threads: 1 }, terminal);
  const [{ manifest }] = posteriors;

  const fitted = await openPosterior(posterior);
  const progress = terminal.progress('rotating');
  const test = `${name}?split=test&limit=${EVALUATED_COUNT}`;
  const curve = await rotationCurve(fitted, test, (done, total) => progress.update(done, total, 'degrees of rotation')).finally(() =>
    progress.end(),
  );
  const pair = await choosePair(fitted, test);
  fitted.dispose();

  const questions = await askServer(posterior, pair);
  const report = join(options.output, 'report.html');
  const result: DemoResult = {
    data,
    trained,
    manifest,
    phases,
    curve,
    questions,
    runtime: `${backend.name} ${backend.version} on ${backend.device}, Node ${process.versions.node}`,
    seconds: (performance.now() - startedAtMs) / 1000,
    report,
  };
  writeFileSync(report, renderReport(result));
  return result;
}

async function train(data: string, output: string, terminal: Terminal): Promise<TrainedModel> {
  const progress = terminal.progress('training');
  return trainModel(
    { data, architecture: 'lenet5', output, training: { epochs: EPOCHS } },
    {
      onProgress({ epoch, epochCount, step, stepsPerEpoch, loss }) {
        const done = (epoch - 1) * stepsPerEpoch + step;
        progress.update(done, epochCount * stepsPerEpoch, `epoch ${epoch}/${epochCount}, loss ${loss.toFixed(4)}`);
      },
    },
  ).finally(() => progress.end());
}
