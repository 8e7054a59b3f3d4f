import { describe, expect, it, vi } from 'vitest';
import { LatestRequest } from './latest-request.ts';

/** Others may keep the machine busy; the wait ends as soon as it can. */
const patience = { timeout: 30_000 };

/** A call that ends when it is told to, and remembers its signal. */
function controlled<T>(): { call: (signal: AbortSignal) => Promise<T>; answer: (value: T) => void; signal: () => AbortSignal | undefined } {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  let seen: AbortSignal | undefined;
  const call = (signal: AbortSignal): Promise<T> => {
    seen = signal;
    signal.addEventListener('abort', () => reject(signal.reason as Error));
    return promise;
  };
  return { call, answer: resolve, signal: () => seen };
}

const fail = (error: unknown): never => {
  throw error;
};

describe('LatestRequest', () => {
  it('answers what runs, then only the newest of those that waited', async () => {
    const requests = new LatestRequest();
    const [first, second, third] = [controlled<string>(), controlled<string>(), controlled<string>()];
    const answers: string[] = [];
    for (const { call } of [first, second, third]) requests.submit(call, (answer) => answers.push(answer), fail);
    first.answer('first');
    await vi.waitFor(() => expect(third.signal()).toBeDefined(), patience);
    third.answer('third');
    await vi.waitFor(() => expect(answers).toEqual(['first', 'third']), patience);
    expect(second.signal()).toBeUndefined();
  });

  it('gives up a slow call for a newer one, without calling that a failure', async () => {
    const requests = new LatestRequest();
    const [slow, next] = [controlled<string>(), controlled<string>()];
    const answers: string[] = [];
    requests.submit(slow.call, (answer) => answers.push(answer), fail);
    requests.submit(next.call, (answer) => answers.push(answer), fail);
    await vi.waitFor(() => expect(next.signal()).toBeDefined(), patience);
    expect(slow.signal()?.aborted).toBe(true);
    next.answer('next');
    await vi.waitFor(() => expect(answers).toEqual(['next']), patience);
  });

  it('tells of failures, and goes on', async () => {
    const requests = new LatestRequest();
    const failures: unknown[] = [];
    const answers: string[] = [];
    requests.submit(
      () => Promise.reject(new Error('no')),
      fail,
      (error) => failures.push(error),
    );
    await vi.waitFor(() => expect(failures).toHaveLength(1), patience);
    requests.submit(
      () => Promise.resolve('yes'),
      (answer) => answers.push(answer),
      fail,
    );
    await vi.waitFor(() => expect(answers).toEqual(['yes']), patience);
  });

  it('says nothing more once cancelled', async () => {
    const requests = new LatestRequest();
    const running = controlled<string>();
    requests.submit(running.call, fail, fail);
    requests.submit(() => Promise.resolve('waiting'), fail, fail);
    requests.cancel();
    expect(running.signal()?.aborted).toBe(true);
    await Promise.resolve();
  });
});
