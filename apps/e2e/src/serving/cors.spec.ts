import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SublaceClient, type SublaceClientError } from '@sublace/client';
import { findChromium } from '@sublace/test-servers';
import { build } from 'esbuild';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ServingProcess } from './serving-process.ts';
import { fitToyPosterior } from './toy-posterior.ts';

const setUpTimeoutMs = 240_000;

const clientSources = fileURLToPath(new URL('../../../../libs/client/src/index.ts', import.meta.url));

/** A machine without a browser, and without a way to one, says so in the names of the tests that it leaves out. */
const browserProgram = await findChromium().catch((error: unknown) => error as Error);
const why = browserProgram instanceof Error ? ` (skipped: ${browserProgram.message})` : '';

let folder: string;
let posterior: string;
let pages: Server;
let pageUrl: string;
let browser: Browser;

/** A site of its own, whose one page has the client in it. */
async function servePage(): Promise<Server> {
  const bundle = await build({ entryPoints: [clientSources], bundle: true, format: 'iife', globalName: 'sublaceClient', write: false });
  const html = `<!doctype html><title>Another site</title><script>${bundle.outputFiles[0].text}</script>`;
  const server = createServer((_request, response) => response.setHeader('content-type', 'text/html; charset=utf-8').end(html));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

/** Starts a server whose inferences need a token. */
async function serve(...args: string[]): Promise<ServingProcess> {
  const env = { SUBLACE_SERVE_INFERENCE_TOKEN: 'open-sesame', SUBLACE_SERVE_ADMIN_TOKEN: 'open-sesame-too' };
  return ServingProcess.start(['--posterior', posterior, '--name', 'toy', ...args], { env });
}

/** What a page sees of one call: an answer, or the code, status and message of the error. */
type Seen = { answer: unknown } | { code: string; status: number | undefined; message: string };

/** Calls from within the page. */
async function callFrom(page: Page, url: string, token: string, call: 'bytes' | 'compressed' | 'unknown model' | 'unload'): Promise<Seen> {
  return page.evaluate(
    async ([url, token, call]) => {
      const library = (globalThis as unknown as { sublaceClient: { SublaceClient: typeof SublaceClient } }).sublaceClient;
      const client = new library.SublaceClient(url, { token, ...(call === 'compressed' && { compression: 'gzip' }) });
      const data = Float32Array.from({ length: 500 }, (_, i) => i / 100);
      const ask = async (model: string): Promise<unknown> => {
        const result = await client.infer(model, { inputs: [{ name: 'input', shape: [500, 1], data }], outputs: ['mean'], id: 'asked' });
        return Array.from(result.output('mean', 'FP32').data);
      };
      try {
        if (call === 'unload') await client.unloadModel('toy');
        return { answer: await ask(call === 'unknown model' ? 'other' : 'toy') };
      } catch (error) {
        const { code, status, message } = error as SublaceClientError;
        return { code, status, message };
      }
    },
    [url, token, call] as const,
  );
}

describe.skipIf(why !== '')(`a page of another origin${why}`, () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sublace-cors-'));
    const program = browserProgram as Exclude<typeof browserProgram, Error>;
    [{ place: posterior }, pages, browser] = await Promise.all([
      fitToyPosterior(folder, 1),
      servePage(),
      chromium.launch({ ...program, args: ['--no-sandbox', '--disable-dev-shm-usage'] }),
    ]);
    pageUrl = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
  }, setUpTimeoutMs);
  afterAll(async () => {
    await browser?.close();
    pages?.closeAllConnections();
    pages?.close();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  it('calls the server only where the option names its origin, and never changes what is served', async () => {
    const [closed, other, open] = await Promise.all([
      serve(),
      serve('--cors-origin', 'https://app.example.org'),
      serve('--cors-origin', 'https://app.example.org', '--cors-origin', pageUrl),
    ]);
    try {
      const page = await browser.newPage();
      await page.goto(pageUrl);
      for (const { url } of [closed, other]) {
        expect(await callFrom(page, url, 'open-sesame', 'bytes')).toMatchObject({ code: 'UNAVAILABLE', status: undefined });
      }
      const data = Float32Array.from({ length: 500 }, (_, i) => i / 100);
      const result = await new SublaceClient(open.url, { token: 'open-sesame' }).infer('toy', {
        inputs: [{ name: 'input', shape: [500, 1], data }],
        outputs: ['mean'],
      });
      const answer = Array.from(result.output('mean', 'FP32').data);
      expect(await callFrom(page, open.url, 'open-sesame', 'bytes')).toEqual({ answer });
      expect(await callFrom(page, open.url, 'open-sesame', 'compressed')).toEqual({ answer });
      expect(await callFrom(page, open.url, 'wrong', 'bytes')).toMatchObject({ code: 'UNAUTHENTICATED', status: 401 });
      expect(await callFrom(page, open.url, 'open-sesame', 'unknown model')).toMatchObject({
        code: 'NOT_FOUND',
        message: expect.stringMatching(/expected one of the models toy, got 'other'/) as string,
      });
      expect(await callFrom(page, open.url, 'open-sesame-too', 'unload')).toMatchObject({ code: 'UNAVAILABLE', status: undefined });
      expect(await callFrom(page, open.url, 'open-sesame', 'bytes')).toEqual({ answer });
    } finally {
      await Promise.all([closed.stop(), other.stop(), open.stop()]);
    }
  });
});
