import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SublaceClient, SublaceClientError } from '@sublace/client';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fitDigitsPosterior } from './digits-posterior.ts';
import { ServingProcess } from './serving-process.ts';
import { fitToyPosterior } from './toy-posterior.ts';

const setUpTimeoutMs = 180_000;

/** Debian's. */
const chromiumPath = process.env.SUBLACE_CHROMIUM ?? '/usr/bin/chromium';

const clientSources = fileURLToPath(new URL('../../../../libs/client/src/index.ts', import.meta.url));

/** An image of 28 x 28 with a bright bar, and one without anything. */
const images = [Uint8Array.from({ length: 784 }, (_, i) => (i % 28 > 12 && i % 28 < 16 ? 255 : 0)), new Uint8Array(784)];

let folder: string;
let toy: ServingProcess;
let digits: ServingProcess;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sublace-client-'));
  const [regression, classification] = [await fitToyPosterior(folder, 1), await fitDigitsPosterior(folder)];
  toy = await ServingProcess.start(['--posterior', regression.place, '--name', 'toy']);
  digits = await ServingProcess.start(['--posterior', classification.place, '--name', 'digits']);
}, setUpTimeoutMs);
afterAll(async () => {
  await Promise.all([toy?.stop(), digits?.stop()]);
  await rm(folder, { recursive: true, force: true });
});

describe('the client and a regression', () => {
  it('answers in raw units: far from the data it is less sure, and the parts add up', async () => {
    const client = new SublaceClient(toy.url);
    expect(await client.serverLive()).toBe(true);
    expect(await client.modelReady('toy')).toBe(true);
    const { examples, modelName, modelVersion } = await client.regress('toy', [[0], [50]], { coverage: 0.8 });
    expect({ modelName, modelVersion }).toEqual({ modelName: 'toy', modelVersion: '1' });
    const [near, far] = examples;
    expect(far.variance[0]).toBeGreaterThan(near.variance[0]);
    for (const { mean, variance, noiseVariance, std, interval } of examples) {
      expect(std[0] ** 2 / (variance[0] + noiseVariance[0])).toBeCloseTo(1, 5);
      expect((interval.upper[0] - mean[0]) / std[0]).toBeCloseTo(1.2816, 3);
      expect(interval.lower[0]).toBeLessThan(mean[0]);
    }
  });

  it('answers the same bits as bytes, as JSON, compressed, and one example at a time', async () => {
    const inputs = [{ name: 'input', shape: [2, 1], data: Float32Array.of(0.1, 50) }];
    const ask = async (client: SublaceClient, binary: boolean): Promise<unknown> =>
      (await client.infer('toy', { inputs, outputs: ['mean', 'std'], binary })).outputs;
    const expected = await ask(new SublaceClient(toy.url), true);
    expect(await ask(new SublaceClient(toy.url), false)).toEqual(expected);
    expect(await ask(new SublaceClient(toy.url, { compression: 'gzip' }), true)).toEqual(expected);
  });

  it('has a joint covariance whose diagonal is the variance, and functions that spread as it says', async () => {
    const client = new SublaceClient(toy.url);
    const points = [[-1], [0], [50]];
    const { examples } = await client.regress('toy', points);
    const { covariance } = await client.jointCovariance('toy', points);
    const count = 2000;
    const { functions } = await client.functionSamples('toy', points, { samples: count, seed: 3 });
    expect(functions).toHaveLength(count);
    for (const [n, { mean, variance }] of examples.entries()) {
      expect(covariance[4 * n] / variance[0]).toBeCloseTo(1, 4);
      const spread = functions.reduce((sum, values) => sum + (values[n] - mean[0]) ** 2, 0) / count;
      // A variance estimated from K draws has a relative standard error of sqrt(2 / K): 3 %.
      expect(Math.abs(spread / variance[0] - 1)).toBeLessThan(5 * Math.sqrt(2 / count));
    }
  });
});

describe('the client and a classification', () => {
  it('answers probabilities with what is uncertain about them', async () => {
    const { examples } = await new SublaceClient(digits.url).classify('digits', images, { samples: 500 });
    expect(examples).toHaveLength(2);
    for (const { probabilities, entropy, mutualInformation, logitVariance } of examples) {
      const sum = probabilities.reduce((total, p) => total + p, 0);
      expect(sum).toBeCloseTo(1, 5);
      expect(entropy).toBeCloseTo(-probabilities.reduce((total, p) => total + p * Math.log(p), 0), 4);
      expect(mutualInformation).toBeGreaterThanOrEqual(0);
      expect(logitVariance.every((variance) => variance >= 0)).toBe(true);
    }
    expect(Math.max(...examples[0].logitVariance)).toBeGreaterThan(0);
  });

  it('passes knobs on: bytes are floats, a temperature flattens, the plain network is there too', async () => {
    const client = new SublaceClient(digits.url);
    const values = ['probabilities', 'mapProbabilities', 'logits'] as const;
    const bytes = await client.classify('digits', images, { values });
    const floats = await client.classify(
      'digits',
      images.map((image) => Float32Array.from(image)),
      { values },
    );
    expect(floats.examples).toEqual(bytes.examples);
    const flat = await client.classify('digits', images, { values: ['probabilities'], temperature: 1000 });
    expect(Math.max(...flat.examples[0].probabilities)).toBeLessThan(0.2);
    expect(Math.max(...bytes.examples[0].mapProbabilities)).toBeGreaterThan(Math.max(...flat.examples[0].probabilities));
  });

  it('passes on what the server says of a bad request', async () => {
    const client = new SublaceClient(digits.url);
    const failure = async (call: Promise<unknown>): Promise<unknown> => call.catch((error: unknown) => error);
    const link = await failure(client.classify('digits', images, { link: 'other' as 'probit' }));
    expect(link).toBeInstanceOf(SublaceClientError);
    expect(link).toMatchObject({ code: 'INVALID_ARGUMENT', status: 400, model: 'digits', attempts: 1 });
    expect((link as Error).message).toContain('expected probit, bridge, bridge-normalised, monte-carlo');
    expect(await failure(client.classify('other', images))).toMatchObject({ code: 'NOT_FOUND', status: 404, model: 'other' });
    expect(await failure(client.classify('digits', Float32Array.of(1)))).toMatchObject({ code: 'INVALID_ARGUMENT', attempts: 0 });
    const notFinite = { name: 'input', shape: [1, 28, 28, 1], data: new Float32Array(784).fill(NaN) };
    expect(await failure(client.infer('digits', { inputs: [notFinite] }))).toMatchObject({ status: 400 });
  });
});

const inBrowser = existsSync(chromiumPath) ? it : it.skip;

describe('the client in a browser', () => {
  inBrowser('needs no polyfill, and gets the bits that Node gets (skipped: needs chromium)', async () => {
    const options = {
      bundle: true,
      write: false,
      format: 'iife',
      globalName: 'sublaceClient',
      platform: 'neutral',
      target: 'es2022',
    } as const;
    const bundle = await build({ entryPoints: [clientSources], ...options });
    const browser = await chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox'] });
    try {
      const page = await browser.newPage();
      // From the server's own origin, as its page is.
      const url = `${digits.url}/test/page`;
      await page.route(url, (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }));
      await page.goto(url);
      await page.addScriptTag({ content: bundle.outputFiles[0].text });
      const seen = await page.evaluate(async (pixels) => {
        const library = (globalThis as unknown as { sublaceClient: { SublaceClient: typeof SublaceClient } }).sublaceClient;
        const client = new library.SublaceClient('', { compression: 'gzip' });
        const { examples } = await client.classify('digits', Uint8ClampedArray.from(pixels));
        const error = await client.classify('other', [1]).catch((thrown: unknown) => thrown);
        const [{ probabilities, mutualInformation }] = examples;
        const isTyped = probabilities instanceof Float32Array;
        return { probabilities: Array.from(probabilities), mutualInformation, isTyped, code: (error as SublaceClientError).code };
      }, Array.from(images[0]));
      const { examples } = await new SublaceClient(digits.url).classify('digits', images[0]);
      expect(seen).toEqual({
        probabilities: Array.from(examples[0].probabilities),
        mutualInformation: examples[0].mutualInformation,
        isTyped: true,
        code: 'NOT_FOUND',
      });
    } finally {
      await browser.close();
    }
  });
});
