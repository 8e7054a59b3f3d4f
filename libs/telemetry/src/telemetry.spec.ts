import { describe, expect, it } from 'vitest';
import { Counter, createLogger, createRegistry, serveMetrics } from './index.ts';

describe('createLogger', () => {
  const logged = (level?: 'silent' | 'info') => {
    const lines: string[] = [];
    const logger = createLogger({ role: 'worker', level, destination: { write: (line) => lines.push(line) } });
    logger.info({ shard: 3 }, 'shard is done');
    logger.debug('not at this level');
    return lines;
  };

  it('writes one JSON line with time, level, role, fields and message', () => {
    const lines = logged();
    expect(lines).toHaveLength(1);
    const { time, ...rest } = JSON.parse(lines[0]) as Record<string, unknown>;
    expect(rest).toEqual({ level: 'info', role: 'worker', pid: process.pid, shard: 3, message: 'shard is done' });
    expect(new Date(time as string).toISOString()).toBe(time);
  });

  it('writes no token and no password, in fields and in text', () => {
    const lines: string[] = [];
    const logger = createLogger({ role: 'worker', secrets: ['open-sesame', 'x'], destination: { write: (line) => lines.push(line) } });
    const fields = { token: 'abc', options: { security: { token: 'def' } }, leaseToken: 7, url: 'redis://user:hidden@host:6379/0' };
    logger.info(fields, 'sent authorization: Bearer abc.def-ghi with open-sesame; http://host/path@2');
    const { token, options, leaseToken, url, message } = JSON.parse(lines[0]) as Record<string, unknown>;
    expect([token, options, leaseToken]).toEqual(['[redacted]', { security: '[redacted]' }, 7]);
    expect(url).toBe('redis://user:[redacted]@host:6379/0');
    expect(message).toBe('sent authorization: Bearer [redacted] with [redacted]; http://host/path@2');
  });

  it('says nothing when silent', () => {
    expect(logged('silent')).toEqual([]);
  });
});

describe('serveMetrics', () => {
  it('serves the registry in the text format, and nothing else', async () => {
    const registry = createRegistry('coordinator');
    new Counter({ name: 'sublace_pulled_bytes_total', help: 'Bytes pulled.', registers: [registry] }).inc(42);
    const server = await serveMetrics(registry, 0);
    const text = await (await fetch(`http://127.0.0.1:${server.port}/metrics`)).text();
    expect(text).toContain('sublace_pulled_bytes_total{role="coordinator"} 42');
    expect(await (await fetch(`http://127.0.0.1:${server.port}/healthz`)).text()).toBe('ok\n');
    expect((await fetch(`http://127.0.0.1:${server.port}/other`)).status).toBe(404);
    await expect(serveMetrics(registry, server.port)).rejects.toMatchObject({ code: 'PORT_IN_USE' });
    await server.close();
  });
});
