/** The thread that computes, and the only one with a tensor runtime: its operations block it, and connections are served from the main thread meanwhile. */
import { parentPort, workerData } from 'node:worker_threads';
import { SublaceError } from '@sublace/errors';
import type { LoadedModel } from '../models/model.ts';
import type { Call, ComputeThreadData, Reply, ThreadError } from './compute-messages.ts';
import type { ModelLoader } from './model-loader.ts';
import { answersToMove } from './thread-memory.ts';

/** A model, and the end of what was asked of it last. */
interface Entry {
  readonly model: LoadedModel;
  tail: Promise<unknown>;
}

const { loader: url, options } = workerData as ComputeThreadData;
const entries = new Map<number, Entry>();
let nextModel = 1;

main().catch((error: unknown) => tell({ type: 'notReady', error: errorOf(error) }));

async function main(): Promise<void> {
  const { default: loader } = (await import(url)) as { default: ModelLoader };
  const info = await loader.start(options);
  parentPort?.on('message', (call: Call) => {
    answer(loader, call).catch((error: unknown) => tell({ id: call.id, type: 'failed', error: errorOf(error) }));
  });
  tell({ type: 'ready', info });
}

async function answer(loader: ModelLoader, call: Call): Promise<void> {
  if (call.type === 'estimate') {
    tell({ id: call.id, type: 'estimated', bytes: (await loader.estimateBytes?.(call.place)) ?? 0 });
  } else if (call.type === 'load') {
    const model = await loader.load(call.place);
    entries.set(nextModel, { model, tail: Promise.resolve() });
    tell({ id: call.id, type: 'loaded', model: nextModel++, description: model.description });
  } else if (call.type === 'infer') {
    const entry = entryOf(call.model);
    const { moved, memory } = answersToMove(await inTurn(entry, () => entry.model.infer(call.requests)));
    tell({ id: call.id, type: 'inferred', answers: moved }, memory);
  } else {
    const entry = entryOf(call.model);
    entries.delete(call.model); // what comes later finds no model; what came before is answered first
    await inTurn(entry, () => entry.model.dispose());
    tell({ id: call.id, type: 'disposed' });
  }
}

/** One thing after the other is asked of a model, in the order of the calls. */
function inTurn<T>(entry: Entry, act: () => Promise<T>): Promise<T> {
  const result = entry.tail.then(act);
  entry.tail = result.catch(() => undefined);
  return result;
}

function entryOf(id: number): Entry {
  const entry = entries.get(id);
  if (!entry) throw new SublaceError('UNAVAILABLE', 'compute thread: expected a model that is loaded, got one that was taken out');
  return entry;
}

function tell(reply: Reply, memory: ArrayBuffer[] = []): void {
  parentPort?.postMessage(reply, memory);
}

function errorOf(thrown: unknown): ThreadError {
  const { code, message } = SublaceError.from(thrown);
  return { code, message };
}
