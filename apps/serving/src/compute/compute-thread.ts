/** The thread that computes, and the only one with a tensor runtime: its operations block it, and connections are served from the main thread meanwhile. */
import { parentPort, workerData } from 'node:worker_threads';
import { SublaceError } from '@sublace/errors';
import type { LoadedModel, ModelAnswer } from '../models/model.ts';
import type { Call, ComputeThreadData, Reply, ThreadError } from './compute-messages.ts';
import type { ModelLoader } from './model-loader.ts';

const { loader: url, threads } = workerData as ComputeThreadData;
const models = new Map<number, LoadedModel>();
let nextModel = 1;

main().catch((error: unknown) => tell({ type: 'notReady', error: errorOf(error) }));

async function main(): Promise<void> {
  const { default: loader } = (await import(url)) as { default: ModelLoader };
  const info = await loader.start(threads === undefined ? {} : { threads });
  parentPort?.on('message', (call: Call) => {
    answer(loader, call).catch((error: unknown) => tell({ id: call.id, type: 'failed', error: errorOf(error) }));
  });
  tell({ type: 'ready', info });
}

async function answer(loader: ModelLoader, call: Call): Promise<void> {
  if (call.type === 'load') {
    const model = await loader.load(call.place);
    models.set(nextModel, model);
    tell({ id: call.id, type: 'loaded', model: nextModel++, description: model.description });
  } else if (call.type === 'infer') {
    const answers = await modelOf(call.model).infer(call.requests);
    tell({ id: call.id, type: 'inferred', answers }, buffersOf(answers));
  } else {
    const model = modelOf(call.model);
    models.delete(call.model);
    await model.dispose();
    tell({ id: call.id, type: 'disposed' });
  }
}

function modelOf(id: number): LoadedModel {
  const model = models.get(id);
  if (!model) throw new SublaceError('INTERNAL', `compute thread: expected a loaded model, got ${id}`);
  return model;
}

/** Memory that moves to the main thread: every whole buffer of an answer. */
function buffersOf(answers: readonly ModelAnswer[]): ArrayBuffer[] {
  const outputs = answers.flatMap((each) => ('outputs' in each ? each.outputs : []));
  const whole = outputs.filter(({ data }) => data.byteLength === data.buffer.byteLength && data.buffer instanceof ArrayBuffer);
  return [...new Set(whole.map(({ data }) => data.buffer as ArrayBuffer))];
}

function tell(reply: Reply, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(reply, transfer);
}

function errorOf(thrown: unknown): ThreadError {
  const { code, message } = SublaceError.from(thrown);
  return { code, message };
}
