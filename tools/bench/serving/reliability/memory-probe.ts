/**
 * Preloaded into a serving process (`--import`), in each of its threads: tells the bench, when asked, what every thread holds. Garbage is collected first, so that
 * what is left is held by something.
 */
import { isMainThread } from 'node:worker_threads';

/** What a process holds. Bytes, but for tensors. */
export interface MemorySample {
  readonly rss: number;
  /** JavaScript heaps of all threads. */
  readonly heap: number;
  /** Buffers and other memory outside the heaps that objects of all threads hold. */
  readonly external: number;
  /** Tensors of the runtime in the compute thread. */
  readonly tensors: number;
}

type ThreadSample = Omit<MemorySample, 'rss'>;

/** Threads answer within this, or are not counted, ms: the compute thread answers between batches. */
const patienceMs = 5_000;

const channel = new BroadcastChannel('sublace-bench-memory');
(channel as unknown as { unref(): void }).unref();

if (isMainThread) askThreads();
else channel.onmessage = ({ data }: MessageEvent) => void (data === 'sample' && answer());

async function answer(): Promise<void> {
  channel.postMessage(await sampleThread());
}

async function sampleThread(): Promise<ThreadSample> {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return { heap: heapUsed, external, tensors: isMainThread ? 0 : await tensorCount() };
}

/** The runtime of this thread: by the time of the first question the thread has loaded it, and this import finds it. */
async function tensorCount(): Promise<number> {
  const { memory } = await import('@tensorflow/tfjs');
  return memory().numTensors;
}

function askThreads(): void {
  process.on('message', (message) => {
    if (message !== 'memory') return;
    void new Promise<ThreadSample>((resolve, reject) => {
      channel.onmessage = ({ data }: MessageEvent) => resolve(data as ThreadSample);
      setTimeout(reject, patienceMs, new Error('expected the compute thread to answer, got nothing')).unref();
      channel.postMessage('sample');
    }).then(async (thread) => {
      const own = await sampleThread();
      const sample: MemorySample = {
        rss: process.memoryUsage.rss(),
        heap: own.heap + thread.heap,
        external: own.external + thread.external,
        tensors: thread.tensors,
      };
      process.send?.(sample);
    });
  });
  // Being asked is no reason to stay.
  process.channel?.unref();
}
