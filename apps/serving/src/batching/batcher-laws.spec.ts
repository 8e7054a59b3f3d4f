import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { VirtualThread } from '../../test/virtual-thread.ts';
import { silentObserver } from '../observe/observer.ts';
import { Batcher, batchingDefaults, type BatchedAnswer } from './batcher.ts';

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'performance'] }));
afterEach(() => vi.useRealTimers());

const options = fc.record({
  maxBatchSize: fc.integer({ min: 1, max: 6 }),
  maxQueueDelayMs: fc.constantFrom(0, 3, 12),
  maxQueueSize: fc.integer({ min: 1, max: 5 }),
  maxQueueBytes: fc.integer({ min: 1, max: 60 }),
  queueTimeoutMs: fc.constantFrom(15, 40, 1000),
});
const arrival = fc.record({
  gap: fc.constantFrom(0, 0, 1, 5, 30),
  model: fc.nat(2),
  count: fc.integer({ min: 1, max: 8 }),
  /** Milliseconds after it came. */
  deadline: fc.constantFrom(Infinity, Infinity, 8, 25),
  aborts: fc.constantFrom(Infinity, Infinity, 0, 4, 18),
});

/** What the specification says of one request, as a plain record. */
interface Story {
  readonly model: number;
  readonly count: number;
  readonly came: number;
  readonly expiry: number;
  readonly aborted: number;
  /** Whether it broke a cap when it came, by counting those that wait. */
  readonly isRefused: boolean;
  answered: number;
  code?: string;
}

describe('any history of requests', () => {
  it('is answered as a list that is counted through would be', async () => {
    await fc.assert(
      fc.asyncProperty(
        options,
        fc.array(arrival, { minLength: 1, maxLength: 40 }),
        fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 3, maxLength: 3 }),
        async (caps, arrivals, costs) => {
          const thread = new VirtualThread();
          const models = costs.map((cost, m) => thread.model(`m${m}`, (requests) => cost * requests.length));
          let pending = 0;
          const batcher = new Batcher({ ...batchingDefaults, ...caps }, { ...silentObserver, pending: (_key, by) => void (pending += by) });
          const stories: Story[] = [];
          const answers: Promise<void>[] = [];
          const isComputed = (i: number): boolean => thread.batches.some(({ requests }) => requests.some(({ input }) => input[0] === i));
          const waits = (i: number): boolean => !stories[i].isRefused && stories[i].answered === 0 && !isComputed(i);

          for (const { gap, model, count, deadline, aborts } of arrivals) {
            if (gap > 0) await vi.advanceTimersByTimeAsync(gap);
            const came = performance.now();
            const i = stories.length;
            const ahead = [...stories.keys()].filter((other) => stories[other].model === model && waits(other));
            const bytes = ahead.reduce((sum, other) => sum + 4 * stories[other].count, 0);
            const abort = new AbortController();
            const story: Story = {
              model,
              count,
              came,
              expiry: came + Math.min(deadline, caps.queueTimeoutMs),
              aborted: came + aborts,
              isRefused: ahead.length >= caps.maxQueueSize || bytes + 4 * count > caps.maxQueueBytes,
              answered: 0,
            };
            stories.push(story);
            const request = { input: new Float32Array(count).fill(i), count, outputs: ['output'], parameters: {} };
            const outcome = batcher.submit({ name: `m${model}`, version: '1' }, models[model], request, {
              signal: abort.signal,
              deadline: came + deadline,
            });
            answers.push(
              outcome.then(({ answer }: BatchedAnswer) => {
                story.answered += 1;
                story.code = 'error' in answer ? answer.error.code : 'OK';
                if ('outputs' in answer) expect(answer.outputs[0].data).toEqual(request.input);
              }),
            );
            if (aborts === 0) abort.abort();
            else if (aborts < Infinity) setTimeout(() => abort.abort(), aborts);
            await Promise.resolve(); // the answers of refusals
          }
          await vi.runAllTimersAsync();
          await Promise.all(answers);

          expect(pending).toBe(0);
          const computed = thread.batches.flatMap(({ requests, given }) => requests.map(({ input }) => ({ i: input[0], given })));
          expect(new Set(computed.map(({ i }) => i)).size).toBe(computed.length); // none twice
          for (const [i, story] of stories.entries()) {
            expect(story.answered).toBe(1);
            const at = computed.find((each) => each.i === i);
            if (story.isRefused) expect(story.code).toBe('RESOURCE_EXHAUSTED');
            else if (at) {
              expect(story.code).toBe('OK');
              expect(at.given).toBeLessThanOrEqual(Math.min(story.expiry, story.aborted));
            } else
              expect(story.code).toBe(
                story.aborted < story.expiry
                  ? 'CANCELLED'
                  : story.code === 'CANCELLED' && story.aborted === story.expiry
                    ? 'CANCELLED'
                    : 'DEADLINE_EXCEEDED',
              );
          }
          for (const { model, requests } of thread.batches) {
            const counts = requests.map(({ input }) => stories[input[0]]);
            expect(counts.every((story) => `m${story.model}` === model)).toBe(true);
            if (requests.length > 1) expect(counts.reduce((sum, { count }) => sum + count, 0)).toBeLessThanOrEqual(caps.maxBatchSize);
          }
          for (const m of [0, 1, 2]) {
            const order = computed.filter(({ i }) => stories[i].model === m).map(({ i }) => i);
            expect(order).toEqual([...order].sort((a, b) => a - b)); // first come, first served
          }
          for (const [i, { given }] of thread.batches.entries()) if (i > 0) expect(given).toBeGreaterThanOrEqual(thread.batches[i - 1].end);
        },
      ),
      { numRuns: 200 },
    );
  });
});
