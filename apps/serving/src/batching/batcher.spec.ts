import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { VirtualThread } from '../../test/virtual-thread.ts';
import type { LoadedModel, ModelRequest } from '../models/model.ts';
import { silentObserver, type EndedBatch } from '../observe/observer.ts';
import { Batcher, batchingDefaults, type BatchedAnswer, type BatchingOptions } from './batcher.ts';

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'performance'] }));
afterEach(() => vi.useRealTimers());

const request = (value: number, count = 1): ModelRequest => {
  return { input: new Float32Array(count).fill(value), count, outputs: ['output'], parameters: {} };
};
const key = (name: string, version = '1'): { name: string; version: string } => ({ name, version });
const after = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
const codeOf = ({ answer }: BatchedAnswer): string => ('error' in answer ? answer.error.code : 'OK');
const messageOf = ({ answer }: BatchedAnswer): string => ('error' in answer ? answer.error.message : '');

/** A batcher with one model, whose batches take 10 ms, and a short way to ask it. */
function setUp(change: Partial<BatchingOptions> = {}, cost: (requests: readonly ModelRequest[]) => number = () => 10) {
  const thread = new VirtualThread();
  const ended: EndedBatch[] = [];
  let pending = 0;
  const observer = {
    ...silentObserver,
    pending: (_key: object, by: 1 | -1) => void (pending += by),
    batchEnded: (batch: EndedBatch) => void ended.push(batch),
  };
  const batcher = new Batcher({ ...batchingDefaults, ...change }, observer);
  const model = thread.model('m', cost);
  const ask = (
    value: number,
    { count = 1, of = model, as = key('m'), signal = new AbortController().signal, deadline = Infinity } = {},
  ): Promise<BatchedAnswer> => batcher.submit(as, of, request(value, count), { signal, deadline });
  const values = (): number[][] => thread.batches.map(({ requests }) => requests.map(({ input }) => input[0]));
  return { thread, batcher, model, ask, ended, values, pending: () => pending };
}

describe('batches', () => {
  it('gather what came with the same turn of the event loop, and what comes while the thread is busy', async () => {
    const { ask, values, ended } = setUp();
    const answers = [ask(1), ask(2)];
    await after(5);
    answers.push(ask(3), ask(4), ask(5));
    await after(20);
    expect(values()).toEqual([
      [1, 2],
      [3, 4, 5],
    ]);
    expect((await Promise.all(answers)).map(({ answer }) => ('outputs' in answer ? answer.outputs[0].data[0] : null))).toEqual([
      1, 2, 3, 4, 5,
    ]);
    expect(ended).toEqual([
      { name: 'm', version: '1', requests: 2, examples: 2, compute: 0.01 },
      { name: 'm', version: '1', requests: 3, examples: 3, compute: 0.01 },
    ]);
  });

  it('tell where the time of each request went, also where it failed', async () => {
    const { thread, ask } = setUp();
    const broken = thread.model(
      'broken',
      () => 10,
      () => {
        throw new Error('boom');
      },
    );
    const first = ask(1, { of: broken });
    await after(4);
    const second = ask(2, { of: broken });
    await after(30);
    expect(await first).toMatchObject({ queue: 0, compute: 0.01, answer: { error: { code: 'INTERNAL', message: 'boom' } } });
    const { queue, compute } = await second;
    expect([queue, compute].map((seconds) => seconds.toFixed(6))).toEqual(['0.006000', '0.010000']);
  });

  it('wait for others as long as they may, and not once they cannot grow', async () => {
    const { thread, ask } = setUp({ maxQueueDelayMs: 20, maxBatchSize: 3 });
    void ask(1);
    await after(15);
    void ask(2);
    await after(30);
    expect(thread.batches.map(({ given, requests }) => [given, requests.length])).toEqual([[20, 2]]);
    const now = performance.now();
    [3, 4, 5].forEach((value) => void ask(value));
    await after(1);
    expect(thread.batches.at(-1)).toMatchObject({ given: now, requests: { length: 3 } });
  });

  it('are given to the thread one at a time', async () => {
    const { thread, ask } = setUp({ maxBatchSize: 2 });
    void ask(0);
    await after(1);
    [1, 2, 3, 4, 5].forEach((value) => void ask(value));
    await after(100);
    expect(thread.batches.map(({ given, requests }) => [given, requests.length])).toEqual([
      [0, 1],
      [10, 2],
      [20, 2],
      [30, 1],
    ]);
  });

  it('hold one request only where it is larger than a batch may be', async () => {
    const { ask, values } = setUp({ maxBatchSize: 4 });
    void ask(1, { count: 3 });
    void ask(2, { count: 9 });
    void ask(3);
    await after(100);
    expect(values()).toEqual([[1], [2], [3]]);
  });

  it('count 1,000 draws as one more example', async () => {
    const { batcher, model, thread } = setUp({ maxBatchSize: 4 });
    for (const samples of [undefined, 999, 1000, 1000, 70_000, 10]) {
      const parameters = samples === undefined ? {} : { samples };
      void batcher.submit(key('m'), model, { ...request(1), parameters }, { signal: new AbortController().signal, deadline: Infinity });
    }
    await after(100);
    const samplesOf = ({ requests }: (typeof thread.batches)[number]): unknown[] => requests.map(({ parameters }) => parameters['samples']);
    expect(thread.batches.map(samplesOf)).toEqual([[undefined, 999, 1000], [1000], [70_000], [10]]);
  });

  it('never mix versions, and a version that is out of service finishes its queue', async () => {
    const { thread, ask } = setUp();
    const [old, fresh] = ['old', 'fresh'].map((name) => thread.model(name, () => 10));
    const answers = [
      ask(0),
      ask(1, { of: old }),
      ask(2, { of: fresh, as: key('m', '2') }),
      ask(3, { of: old }),
      ask(4, { of: fresh, as: key('m', '2') }),
    ];
    await after(100);
    expect((await Promise.all(answers)).map(codeOf)).toEqual(['OK', 'OK', 'OK', 'OK', 'OK']);
    expect(thread.batches.map(({ model, requests }) => [model, requests.map(({ input }) => input[0])])).toEqual([
      ['m', [0]],
      ['old', [1, 3]],
      ['fresh', [2, 4]],
    ]);
  });
});

describe('a model that fails', () => {
  const failing = (thread: VirtualThread): LoadedModel =>
    thread.model(
      'failing',
      () => 10,
      ({ input: [value] }) => {
        if (value === 13) throw new Error('boom');
        return value === 7 ? { error: { code: 'INVALID_ARGUMENT', message: 'seven' } } : { outputs: [] };
      },
    );

  it('fails a request, or a whole batch', async () => {
    const { thread, ask } = setUp();
    const of = failing(thread);
    const first = [ask(1, { of }), ask(7, { of })];
    await after(20);
    expect((await Promise.all(first)).map(codeOf)).toEqual(['OK', 'INVALID_ARGUMENT']);
    const second = [ask(1, { of }), ask(13, { of })];
    await after(20);
    expect((await Promise.all(second)).map(messageOf)).toEqual(['boom', 'boom']);
    const third = ask(1, { of });
    await after(20);
    expect(codeOf(await third)).toBe('OK');
  });

  it('by answering too little fails the batch', async () => {
    const { model, ask } = setUp();
    const of = { ...model, infer: () => Promise.resolve([]) };
    const answer = ask(1, { of });
    await after(1);
    expect(messageOf(await answer)).toMatch(/expected 1 answers, got 0/);
  });
});

describe('overload', () => {
  it('is refused at once, by number and by bytes, for the model that it is for', async () => {
    const { ask, model, pending } = setUp({ maxQueueSize: 2, maxQueueBytes: 40 });
    void ask(0);
    await after(1);
    const waiting = [ask(1), ask(2)];
    expect(messageOf(await ask(3))).toBe("model 'm': expected at most 2 requests to wait, got more; try again later");
    const other = { ...model };
    waiting.push(ask(4, { of: other, as: key('other'), count: 10 }));
    const refused = await ask(5, { of: other, as: key('other') });
    expect(codeOf(refused)).toBe('RESOURCE_EXHAUSTED');
    expect(messageOf(refused)).toMatch(/at most 40 bytes of inputs to wait/);
    expect(pending()).toBe(3);
    await after(100);
    expect((await Promise.all(waiting)).map(codeOf)).toEqual(['OK', 'OK', 'OK']);
    expect(pending()).toBe(0);
  });

  it('of one input that could never wait says so', async () => {
    const { ask } = setUp({ maxQueueBytes: 40 });
    expect(messageOf(await ask(1, { count: 11 }))).toBe(
      "model 'm': expected an input of at most 40 bytes in float32, got 44; ask for fewer examples at a time",
    );
  });

  it('ends with what waits too long: by the queue or by the client', async () => {
    const { ask, values } = setUp({ queueTimeoutMs: 50 }, () => 200);
    void ask(0);
    await after(1);
    const answers = [ask(1), ask(2, { deadline: 20 }), ask(3, { deadline: 1e6 })];
    const seen: string[] = [];
    answers.forEach((answer, i) => void answer.then((outcome) => seen.push(`${i + 1} ${codeOf(outcome)} ${outcome.queue.toFixed(3)}`)));
    await after(18);
    expect(seen).toEqual([]);
    await after(2);
    expect(seen).toEqual(['2 DEADLINE_EXCEEDED 0.019']);
    await after(40);
    expect(seen.slice(1)).toEqual(['1 DEADLINE_EXCEEDED 0.050', '3 DEADLINE_EXCEEDED 0.050']);
    expect(codeOf(await ask(4, { deadline: performance.now() }))).toBe('DEADLINE_EXCEEDED');
    await after(1000);
    expect(values()).toEqual([[0]]);
  });
});

describe('nobody waits any more', () => {
  it('and what is not computed yet never is', async () => {
    const { ask, values, pending } = setUp();
    void ask(0);
    await after(1);
    const gone = new AbortController();
    const answers = [ask(1), ask(2, { signal: gone.signal }), ask(3)];
    gone.abort();
    expect(codeOf(await answers[1])).toBe('CANCELLED');
    expect(pending()).toBe(2);
    expect(codeOf(await ask(4, { signal: gone.signal }))).toBe('CANCELLED');
    await after(100);
    expect(values()).toEqual([[0], [1, 3]]);
  });

  it('and what is in the thread is answered with its batch', async () => {
    const { ask } = setUp();
    const gone = new AbortController();
    const answer = ask(1, { signal: gone.signal });
    await after(1);
    gone.abort();
    await after(100);
    expect(codeOf(await answer)).toBe('OK');
  });

  it('once it is closed: what waits is refused, what is computed is answered', async () => {
    const { ask, batcher, pending } = setUp();
    const first = ask(0);
    await after(1);
    const second = ask(1);
    batcher.close();
    expect(codeOf(await second)).toBe('UNAVAILABLE');
    expect(codeOf(await ask(2))).toBe('UNAVAILABLE');
    await after(100);
    expect(codeOf(await first)).toBe('OK');
    expect(pending()).toBe(0);
  });
});

describe('models take turns', () => {
  it('by seconds: a deep queue of expensive batches does not starve a model that is asked now and then', async () => {
    const { thread, ask } = setUp({ maxBatchSize: 1 });
    const heavy = thread.model('heavy', () => 100);
    const light = thread.model('light', () => 1);
    for (let i = 0; i < 200; i += 1) void ask(i, { of: heavy, as: key('heavy') });
    const waited: number[] = [];
    for (let i = 0; i < 20; i += 1) {
      await after(237);
      void ask(i, { of: light, as: key('light') }).then(({ queue }) => waited.push(queue));
    }
    await after(1000);
    // No longer than the batch that is computed when it comes.
    expect(Math.max(...waited)).toBeLessThanOrEqual(0.1);
    expect(waited).toHaveLength(20);
  });

  it('by seconds: two models with deep queues are computed for as long as each other', async () => {
    const { thread, ask } = setUp({ maxBatchSize: 1 });
    const models = { a: thread.model('a', () => 70), b: thread.model('b', () => 10) };
    for (const name of ['a', 'b'] as const) for (let i = 0; i < 200; i += 1) void ask(i, { of: models[name], as: key(name) });
    await after(2000);
    const seconds = (name: string): number =>
      thread.batches.filter(({ model, end }) => model === name && end <= 2000).reduce((sum, { start, end }) => sum + end - start, 0);
    expect(Math.abs(seconds('a') - seconds('b'))).toBeLessThanOrEqual(70 + 10); // one batch of each
  });

  it('and versions of one model share its turn, the oldest request first', async () => {
    const { thread, ask } = setUp({ maxBatchSize: 1 });
    const [v1, v2, other] = ['v1', 'v2', 'other'].map((name) => thread.model(name, () => 10));
    for (let i = 0; i < 100; i += 1) {
      void ask(i, { of: v1, as: key('m', '1') });
      void ask(i, { of: v2, as: key('m', '2') });
      void ask(i, { of: other, as: key('other') });
      await after(1);
    }
    await after(1100);
    const count = (name: string): number => thread.batches.filter(({ model }) => model === name).length;
    expect(Math.abs(count('v1') + count('v2') - count('other'))).toBeLessThanOrEqual(2);
    expect(Math.abs(count('v1') - count('v2'))).toBeLessThanOrEqual(1);
  });
});

it('refuses options that make no sense', () => {
  const make = (change: Partial<BatchingOptions>) => () => new Batcher({ ...batchingDefaults, ...change }, silentObserver);
  expect(make({ maxBatchSize: 0 })).toThrow('batching maxBatchSize: expected a whole number of 1 or more, got 0');
  expect(make({ maxQueueSize: 1.5 })).toThrow('a whole number of 1 or more, got 1.5');
  expect(make({ maxQueueDelayMs: -1 })).toThrow('batching maxQueueDelayMs: expected a number of 0 or more, got -1');
  expect(make({ queueTimeoutMs: Infinity })).toThrow('got Infinity');
});
