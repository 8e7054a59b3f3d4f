import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findChromium } from '@sublace/test-servers';
import axe from 'axe-core';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { fitDigitsPosterior } from './digits-posterior.ts';
import { ServingProcess } from './serving-process.ts';
import { fitToyPosterior } from './toy-posterior.ts';

const setUpTimeoutMs = 240_000;

/** A machine without a browser, and without a way to one, says so in the names of the tests that it leaves out. */
const browserProgram = await findChromium().catch((error: unknown) => error as Error);
const why = browserProgram instanceof Error ? ` (skipped: ${browserProgram.message})` : '';

let folder: string;
let digits: ServingProcess;
let toy: ServingProcess;
let browser: Browser;

/** Others may keep the machine busy: what the page shows is looked at until it is what it should be. */
const patience = { timeout: 30_000 };

/** Pages of the running test, and what went wrong in them: exceptions, failed requests, broken policies. */
const pages: Page[] = [];
const faults: string[] = [];

async function open(url: string, options: Parameters<Browser['newPage']>[0] = {}): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce', ...options });
  pages.push(page);
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  // Nothing may be asked of anybody else.
  page.on('request', (request) => {
    if (!request.url().startsWith(new URL(url).origin) && !request.url().startsWith('blob:')) faults.push(`asked for ${request.url()}`);
  });
  await page.goto(url);
  return page;
}

/** What the rules for accessible pages (WCAG 2.2 AA) find wrong. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const found = (await page.evaluate(
    "axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })",
  )) as axe.AxeResults;
  return found.violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join('; ')}`,
  );
}

/** Class and confidence of a prediction, as they are shown. */
async function verdict(page: Page, name: 'map' | 'sublace'): Promise<{ index: number; share: number }> {
  const [index, share] = (await page.locator(`.verdict.${name} .verdict-value`).innerText()).split(/\s+/);
  return { index: Number(index), share: Number(share) / 100 };
}

async function entropy(page: Page): Promise<number> {
  return Number(await page.getByRole('meter').getAttribute('value'));
}

/** Does something, and waits until the answer to it is on its way to the page. */
async function andAnswered(page: Page, act: () => Promise<unknown>): Promise<void> {
  const answered = page.waitForResponse((response) => response.url().endsWith('/infer') && response.ok());
  await act();
  await answered;
}

describe.skipIf(why !== '')(`the page${why}`, () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sublace-page-'));
    const [classification, regression] = [await fitDigitsPosterior(folder), await fitToyPosterior(folder, 1)];
    [digits, toy, browser] = await Promise.all([
      ServingProcess.start(['--posterior', classification.place, '--name', 'digits']),
      ServingProcess.start(['--posterior', regression.place, '--name', 'toy']),
      chromium.launch({ ...(browserProgram as Exclude<typeof browserProgram, Error>), args: ['--no-sandbox', '--disable-dev-shm-usage'] }),
    ]);
  }, setUpTimeoutMs);
  afterAll(async () => {
    await Promise.all([browser?.close(), digits?.stop(), toy?.stop()]);
    if (folder) await rm(folder, { recursive: true, force: true });
  });
  afterEach(async () => {
    await Promise.all(pages.splice(0).map((page) => page.close()));
    expect(faults.splice(0)).toEqual([]);
  });

  it('shows what the model makes of a digit, and how it becomes unsure when the digit turns', async () => {
    const page = await open(digits.url);
    await page.locator('.verdict.sublace').waitFor();
    expect((await verdict(page, 'sublace')).index).toBe(3);
    expect((await verdict(page, 'map')).index).toBe(3);
    const upright = await entropy(page);
    // The chart of the full turn comes after the first answer.
    const chart = page.getByRole('img', { name: /^Over a full turn\..*Upright the answer is 3/ });
    await chart.waitFor();
    const slider = page.getByRole('slider', { name: 'Turn' });
    await andAnswered(page, () => slider.fill('90'));
    await expect.poll(() => entropy(page), patience).toBeGreaterThan(upright);
    await page.getByText('Numbers').click();
    const table = page.getByRole('region', { name: 'Over a full turn, as a table' });
    await expect.poll(() => table.getByRole('row').count(), patience).toBe(38);
    // Where nobody looks, it is said once it has come to rest.
    await page
      .getByRole('status')
      .filter({ hasText: /^Turned by 90 degrees: Sublace says \d with/ })
      .waitFor({ state: 'attached' });
  });

  it('takes a drawing, and asks exactly what it shows', async () => {
    const page = await open(digits.url);
    await page.locator('.verdict.sublace').waitFor();
    await page.getByRole('button', { name: 'Clear' }).click();
    await page.getByText('Draw something').waitFor();
    const pad = (await page.locator('.pad').boundingBox())!;
    await page.mouse.move(pad.x + pad.width * 0.5, pad.y + pad.height * 0.2);
    await page.mouse.down();
    const request = page.waitForRequest((each) => each.url().endsWith('/infer') && (each.postDataBuffer()?.length ?? 0) < 5000);
    await andAnswered(page, () => page.mouse.move(pad.x + pad.width * 0.52, pad.y + pad.height * 0.8, { steps: 8 }));
    await page.mouse.up();
    const body = (await request).postDataBuffer()!;
    const values = new Float32Array(Uint8Array.from(body.subarray(body.length - 784 * 4)).buffer);
    // Bytes, as the model was trained on: ink is near 255, and a stroke from top to bottom fills a small part.
    expect(Math.max(...values)).toBe(255);
    expect(Math.min(...values)).toBe(0);
    await page
      .getByRole('status')
      .filter({ hasText: /^Turned by 0 degrees: Sublace says/ })
      .waitFor({ state: 'attached' });
    await expect.poll(async () => (await verdict(page, 'sublace')).index, patience).toBe(1);
  });

  it('takes a picture, and says in words what is not one', async () => {
    const page = await open(digits.url);
    await page.locator('.verdict.sublace').waitFor();
    const picture = await page.locator('.pad').screenshot();
    const upload = page.locator('input[type=file]');
    await andAnswered(page, () => upload.setInputFiles({ name: 'three.png', mimeType: 'image/png', buffer: picture }));
    await page.getByRole('img', { name: /the picture three.png/ }).waitFor();
    await expect.poll(async () => (await verdict(page, 'sublace')).index, patience).toBe(3);
    await upload.setInputFiles({ name: 'notes.txt', mimeType: 'image/png', buffer: Buffer.from('no picture') });
    await page.getByRole('alert').filter({ hasText: 'notes.txt: expected a picture' }).waitFor();
  });

  it('is used by keyboard alone', async () => {
    const page = await open(digits.url);
    await page.locator('.verdict.sublace').waitFor();
    const focused = async (): Promise<string> =>
      String(await page.evaluate('document.activeElement.id || document.activeElement.innerText'));
    const order: string[] = [];
    for (let i = 0; i < 20; i++) {
      await page.keyboard.press('Tab');
      order.push(await focused());
    }
    expect(order.slice(0, 6)).toEqual(['Skip to the content', 'Playground', 'Models', 'Live', 'turn', '0']);
    expect(order).toContain('Clear');
    await page.getByRole('slider', { name: 'Turn' }).focus();
    await andAnswered(page, () => page.keyboard.press('ArrowRight'));
    await expect.poll(() => page.locator('output[for=turn]').innerText(), patience).toBe('1°');
    await page.getByRole('button', { name: 'Sample 7' }).focus();
    await andAnswered(page, () => page.keyboard.press('Enter'));
    await page.getByRole('link', { name: 'Models' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Models', level: 1 }).waitFor();
    expect(await page.title()).toBe('Models · Sublace');
    await expect.poll(focused, patience).toMatch(/^main/);
  });

  it('says what the posterior is', async () => {
    const page = await open(`${digits.url}/#models`);
    await page.getByRole('heading', { name: 'The posterior of digits, version 1' }).waitFor();
    const metadata = (await (await fetch(`${digits.url}/v2/models/digits`)).json()) as { properties: Record<string, string> };
    const { subnetwork_size: size, posterior_digest: digest } = metadata.properties;
    await page.getByText(`${size} (`).waitFor();
    await page.getByText(digest.slice(0, 12)).waitFor();
    const layers = page.getByRole('region', { name: 'The subnetwork by layer' }).locator('tbody tr');
    const chosen = (await layers.locator('td:nth-child(2)').allInnerTexts()).map((text) => Number(text.split('/')[0]));
    expect(chosen.reduce((sum, count) => sum + count, 0)).toBe(Number(size));
  });

  it('shows a regression far beyond its data, where its band is wider', async () => {
    const page = await open(toy.url);
    const chart = page.getByRole('img', { name: /^Mean and uncertainty\./ });
    await chart.waitFor();
    const epistemic = async (x: string): Promise<number> => {
      await page.getByRole('slider', { name: 'At x' }).fill(x);
      return Number(await page.locator('.facts div', { hasText: 'σ of the function' }).locator('dd').innerText());
    };
    await andAnswered(page, async () => {
      await page.getByRole('textbox', { name: 'From' }).fill('-50');
      await page.keyboard.press('Enter');
    });
    await andAnswered(page, async () => {
      await page.getByRole('textbox', { name: 'to' }).fill('50');
      await page.keyboard.press('Enter');
    });
    await expect.poll(async () => (await epistemic('50')) - (await epistemic('0')), patience).toBeGreaterThan(0);
    await andAnswered(page, () => page.getByRole('button', { name: 'Zoom in' }).click());
    await expect.poll(() => page.getByRole('textbox', { name: 'From' }).inputValue(), patience).toBe('-25');
    // A range that ends before it starts is marked, and nothing is asked.
    await page.getByRole('textbox', { name: 'From' }).fill('99');
    await expect.poll(() => page.getByRole('textbox', { name: 'From' }).getAttribute('aria-invalid'), patience).toBe('true');
  });

  it('shows how the server does, second by second', async () => {
    const page = await open(`${toy.url}/#live`);
    await page.getByRole('heading', { name: 'Live', level: 1 }).waitFor();
    const body = JSON.stringify({ inputs: [{ name: 'input', datatype: 'FP32', shape: [3, 1], data: [0, 1, 2] }] });
    for (let i = 0; i < 5; i++) expect((await fetch(`${toy.url}/v2/models/toy/infer`, { method: 'POST', body })).ok).toBe(true);
    await page.getByRole('img', { name: /^Latency, ms\. Newest: p50 [\d.]+ ms/ }).waitFor();
    await page.getByRole('img', { name: /^Examples in a batch\. Newest mean: [\d.]+/ }).waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    expect(await page.getByRole('button', { name: 'Go on' }).getAttribute('aria-pressed')).toBe('true');
  });

  it('asks for a token where the server does, and keeps it in the tab only', async () => {
    const env = { SUBLACE_SERVE_INFERENCE_TOKEN: 'open-sesame' };
    const guarded = await ServingProcess.start(['--posterior', join(folder, 'digits-posterior'), '--name', 'digits'], { env });
    try {
      const page = await open(guarded.url);
      await page.getByLabel('API token').fill('wrong');
      await page.getByRole('button', { name: 'Use it' }).click();
      await page.getByText('The one you gave was refused').waitFor();
      expect(await violations(page)).toEqual([]);
      await page.getByLabel('API token').fill('open-sesame');
      await page.keyboard.press('Enter');
      await page.locator('.verdict.sublace').waitFor();
      expect(await page.evaluate('JSON.stringify([{ ...localStorage }, document.cookie])')).toBe('[{},""]');
      await page.getByRole('button', { name: 'Forget the token' }).click();
      await page.getByLabel('API token').waitFor();
      // The browser notes every answer of 401 on its console.
      await page.close();
      expect(faults.splice(0).filter((fault) => !fault.includes('401'))).toEqual([]);
    } finally {
      await guarded.stop();
    }
  });

  it('says that the server is gone, and goes on when it is back', async () => {
    const page = await open(digits.url);
    await page.locator('.verdict.sublace').waitFor();
    await page.route('**/sublace/v1/overview*', (route) => route.abort());
    await page.getByRole('alert').filter({ hasText: 'The server does not answer' }).waitFor();
    await page.unroute('**/sublace/v1/overview*');
    await page.getByRole('alert').waitFor({ state: 'detached' });
    expect(faults.splice(0).filter((fault) => !fault.includes('ERR_FAILED'))).toEqual([]);
  });

  it.each(['light', 'dark'] as const)('passes the rules for accessible pages in %s colours, and fits a phone', async (colorScheme) => {
    const views: [ServingProcess, string, string][] = [
      [digits, '#playground', '.verdict.sublace'],
      [digits, '#models', '.layers'],
      [toy, '#playground', '.curve-playground .chart'],
      [toy, '#live', '.chart'],
    ];
    for (const [server, hash, there] of views) {
      const page = await open(`${server.url}/${hash}`, { colorScheme });
      await page.locator(there).first().waitFor();
      expect(await violations(page), hash).toEqual([]);
      await page.setViewportSize({ width: 360, height: 740 });
      const beyond = (): Promise<unknown> => page.evaluate('document.documentElement.scrollWidth - innerWidth');
      await expect.poll(beyond, { ...patience, message: `${hash}: wider than a phone` }).toBeLessThanOrEqual(0);
    }
  });

  it('lets models of numbers be asked by a form', async () => {
    const page = await open(toy.url);
    // The same server under a model whose input is not one number: three rows of it are.
    await page.route('**/sublace/v1/overview*', async (route) => {
      const response = await route.fetch();
      const overview = (await response.json()) as {
        models: { description: { inputs: { shape: number[] }[]; outputs: { shape: number[] }[] } }[];
      };
      // Two outputs make it no curve.
      overview.models[0].description.outputs[0].shape = [-1, 2];
      await route.fulfill({ response, json: overview });
    });
    await page.reload();
    await page.getByRole('textbox').fill('0.5, 1.5 50');
    await page.getByRole('button', { name: 'Ask' }).click();
    const answers = page.getByRole('region', { name: 'Answers' });
    await answers.waitFor();
    await expect.poll(() => answers.getByRole('row').count(), patience).toBe(4);
    await page.getByRole('textbox').fill('0.5, x');
    await page.getByRole('button', { name: 'Ask' }).click();
    await page.getByRole('alert').filter({ hasText: "Expected numbers, got 'x'" }).waitFor();
  });
});
