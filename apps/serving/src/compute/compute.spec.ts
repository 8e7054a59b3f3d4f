import { afterEach, describe, expect, it } from 'vitest';
import type { LoadedModel, ModelRequest } from '../models/model.ts';
import { startCompute, type Compute, type ComputeOptions } from './compute.ts';

const started: Compute[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((compute) => compute.stop()));
});

async function start(options: ComputeOptions = {}): Promise<Compute> {
  const compute = await startCompute({ loader: new URL('../testdata/tiny-loader.ts', import.meta.url).href, ...options });
  started.push(compute);
  return compute;
}

const request = (input: Float32Array, outputs = ['output']): ModelRequest => ({ input, count: input.length, outputs, parameters: {} });
const ask = async (model: LoadedModel, ...values: number[]): Promise<unknown> => {
  const [answer] = await model.infer([request(Float32Array.from(values))]);
  return 'outputs' in answer ? [...answer.outputs[0].data] : answer.error;
};
const code = (expected: string, message: RegExp): unknown =>
  expect.objectContaining({ code: expected, message: expect.stringMatching(message) as string });

describe('the compute thread', () => {
  it('starts with its threads, loads, computes and lets go', async () => {
    const compute = await start({ threads: 3, maxBatchSize: 5 });
    expect(compute.info).toEqual({ threads: 3, maxBatchSize: 5 });
    const model = await compute.load({ place: 'a' });
    expect(model.description.properties).toEqual({ place: 'a' });
    expect(await ask(model, 1, 2)).toEqual([1, 2]);
    await model.dispose();
    await expect(ask(model, 1)).rejects.toEqual(code('UNAVAILABLE', /taken out/));
  });

  it('tells why it cannot start, or cannot load', async () => {
    const broken = 'data:text/javascript,export default { start: () => { throw new Error("no runtime"); } }';
    await expect(start({ loader: broken })).rejects.toEqual(code('INTERNAL', /no runtime/));
    await expect(start({ loader: 'file:///no/such/module.js' })).rejects.toMatchObject({ code: 'INTERNAL' });
    const compute = await start();
    await expect(compute.load({ place: 'nowhere' })).rejects.toEqual(code('NOT_FOUND', /nowhere/));
    const failing = await compute.load({ place: 'fail' });
    await expect(ask(failing, 1)).rejects.toEqual(code('INVALID_ARGUMENT', /failed/));
    await expect(ask(failing, 1)).rejects.toEqual(code('INVALID_ARGUMENT', /failed/));
  });

  it('moves inputs and outputs: they are copied nowhere, and what they are part of stays', async () => {
    const model = await (await start()).load({ place: 'a' });
    const whole = Float32Array.of(1, 2, 3);
    const large = Float32Array.of(0, 4, 5, 0);
    const [first, second] = await model.infer([request(whole), request(large.subarray(1, 3))]);
    expect([whole.byteLength, large.byteLength]).toEqual([0, 16]);
    expect([first, second].map((answer) => ('outputs' in answer ? [...answer.outputs[0].data] : null))).toEqual([
      [1, 2, 3],
      [4, 5],
    ]);
    const [part] = await model.infer([request(Float32Array.of(1, 1), ['part'])]);
    const data = 'outputs' in part ? part.outputs[0].data : new Float32Array(0);
    expect([[...data], data.buffer.byteLength]).toEqual([[5, 5], 8]);
  });

  it('answers other models while one is loaded', async () => {
    const compute = await start();
    const opener = await compute.load({ place: 'opener' });
    const loading = compute.load({ place: 'slow-load' }); // until the opener has answered
    expect(await ask(opener, 1)).toEqual([1]);
    expect(await ask(await loading, 2)).toEqual([2]);
  });

  it('asks a model for one thing after the other: what was asked before it was let go of is answered', async () => {
    const compute = await start();
    const opener = await compute.load({ place: 'opener' });
    const gated = await compute.load({ place: 'gated' });
    const answers = [ask(gated, 1), ask(gated, 2)];
    const gone = gated.dispose();
    const after = expect(ask(gated, 3)).rejects.toEqual(code('UNAVAILABLE', /taken out/));
    let isOver = false;
    void Promise.all(answers).finally(() => (isOver = true));
    while (!isOver) await ask(opener, 0);
    expect(await Promise.all(answers)).toEqual([[1], [2]]);
    await gone;
    await after;
  });
});

describe('a thread that is gone', () => {
  it.each([
    ['exit', /expected it to stay, got exit code 3/],
    ['crash', /crashed/],
    ['hang', /expected an answer within 0.2 s, got none/],
  ])('by %s fails what waits and whatever is asked of it', async (place, message) => {
    const compute = await start(place === 'hang' ? { hangTimeoutMs: 200 } : {}); // a busy machine may seem to hang
    const [fine, bad] = [await compute.load({ place: 'gated' }), await compute.load({ place })];
    const answers = [ask(fine, 1), ask(bad, 1), ask(fine, 2)].map((answer) => expect(answer).rejects.toEqual(code('INTERNAL', message)));
    expect(await compute.gone).toEqual(code('INTERNAL', message));
    await Promise.all(answers);
    await expect(ask(fine, 3)).rejects.toEqual(code('INTERNAL', message));
    await expect(compute.load({ place: 'a' })).rejects.toEqual(code('INTERNAL', message));
  });

  it('on request is not lost: what waits fails, and nobody is alarmed', async () => {
    const compute = await start();
    const gated = await compute.load({ place: 'gated' });
    const answer = expect(ask(gated, 1)).rejects.toEqual(code('UNAVAILABLE', /stopped/));
    let isGone = false;
    void compute.gone.then(() => (isGone = true));
    await compute.stop();
    await answer;
    expect(isGone).toBe(false);
  });

  it('is not taken for hung while a model is loaded', async () => {
    const compute = await start({ hangTimeoutMs: 400 });
    const [opener, gated] = [await compute.load({ place: 'opener' }), await compute.load({ place: 'gated' })];
    const loading = compute.load({ place: 'slow-load' });
    const answer = ask(gated, 1);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await ask(opener, 0);
    expect(await answer).toEqual([1]);
    await loading;
  });
});
