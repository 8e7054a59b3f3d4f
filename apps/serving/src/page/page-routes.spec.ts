import { gunzipSync, gzipSync } from 'node:zlib';
import { fastify, type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linearGaussianModel } from '../../test/linear-gaussian-model.ts';
import { readyService } from '../../test/ready-service.ts';
import { restCallKind } from '../access/call-kind.ts';
import { addPageRoutes } from './page-routes.ts';
import type { StaticFile } from './static-files.ts';

const script = Buffer.from('alert(1)');
const files: StaticFile[] = [
  { path: '/', contentType: 'text/html; charset=utf-8', body: Buffer.from('<p>'), gzipped: null, etag: '"1"', isHashed: false },
  {
    ...{ path: '/assets/a-1.js', contentType: 'text/javascript; charset=utf-8', body: script },
    ...{ gzipped: gzipSync(script), etag: '"2"', isHashed: true },
  },
];

async function appWith(page: StaticFile[] | null): Promise<FastifyInstance> {
  const app = fastify();
  addPageRoutes(app, { files: page, service: await readyService(linearGaussianModel()) });
  return app;
}

let app: FastifyInstance;
beforeAll(async () => {
  app = await appWith(files);
});
afterAll(() => app.close());

describe('the page', () => {
  it('is not to be kept without asking, and its assets are for ever', async () => {
    const index = await app.inject('/');
    expect([index.statusCode, index.body, index.headers['cache-control']]).toEqual([200, '<p>', 'no-cache']);
    const asset = await app.inject('/assets/a-1.js');
    expect(asset.headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
      vary: 'accept-encoding',
    });
    expect(asset.rawPayload).toEqual(script);
    const known = await app.inject({ url: '/', headers: { 'if-none-match': '"1"' } });
    expect([known.statusCode, known.body]).toEqual([304, '']);
  });

  it('is compressed for those who take it so', async () => {
    const ask = async (coding: string): Promise<unknown> => {
      const { headers, rawPayload } = await app.inject({ url: '/assets/a-1.js', headers: { 'accept-encoding': coding } });
      return headers['content-encoding'] === 'gzip' ? gunzipSync(rawPayload).equals(script) : rawPayload.equals(script) && 'plain';
    };
    expect([await ask('gzip, br'), await ask('deflate, GZIP;q=0.5'), await ask('gzip;q=0'), await ask('br')]).toEqual([
      true,
      true,
      'plain',
      'plain',
    ]);
  });

  it.each(['/', '/assets/a-1.js', '/sublace/v1/overview'])('%s may run no script but its own, and stand in no frame', async (url) => {
    const { headers } = await app.inject(url);
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY', 'referrer-policy': 'no-referrer' });
  });

  it.each([
    '/../package.json',
    '/assets/../../package.json',
    '/assets/%2e%2e/%2e%2e/package.json',
    '/assets/',
    '/assets/a-1.js%00',
    '/index.html',
  ])('has no file for %s', async (url) => expect((await app.inject(url)).statusCode).toBeGreaterThanOrEqual(400));

  it('is open to everybody, and what it shows to those who may read', () => {
    expect(files.map(({ path }) => restCallKind('GET', path))).toEqual(['page', 'page']);
    expect(restCallKind('GET', '/sublace/v1/overview')).toBe('metadata');
  });

  it('says how to build it where it is missing; the rest is there', async () => {
    const bare = await appWith(null);
    const { statusCode, headers, body } = await bare.inject('/');
    expect([statusCode, headers['content-type'], body.trim().split('\n')]).toEqual([
      200,
      'text/plain; charset=utf-8',
      [expect.stringContaining('npm run setup')],
    ]);
    expect((await bare.inject('/sublace/v1/overview')).statusCode).toBe(200);
    await bare.close();
  });
});

describe('the overview', () => {
  it('may not be kept, and takes any query', async () => {
    for (const query of ['', '?since=1', '?since=x', '?since=1&since=2', '?since[]=1']) {
      const answer = await app.inject(`/sublace/v1/overview${query}`);
      expect([answer.statusCode, answer.headers['cache-control']]).toEqual([200, 'no-store']);
      expect(answer.json()).toMatchObject({ models: [{ name: 'linear', version: '1', state: 'ready' }] });
    }
  });
});
