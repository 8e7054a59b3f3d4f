import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { startRedis, type RedisServer } from './start-redis.ts';

const servers: RedisServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

async function started(...options: Parameters<typeof startRedis>): Promise<RedisServer> {
  const server = await startRedis(...options);
  servers.push(server);
  return server;
}

/** One inline command over a fresh connection; the reply's bytes as they come. */
function send(port: number, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`${command}\r\n`));
    socket.once('data', (data) => {
      resolve(data.toString());
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

describe('startRedis', () => {
  it('starts a server whose data survive kill -9, and removes them at the end', async () => {
    const server = await started();
    expect(await send(server.port, 'SET name sublace')).toBe('+OK\r\n');
    const { pid } = server;
    await server.kill();
    await expect(send(server.port, 'PING')).rejects.toThrow('ECONNREFUSED');
    await server.restart();
    expect(server.pid).not.toBe(pid);
    expect(await send(server.port, 'GET name')).toBe('$7\r\nsublace\r\n');
    await server.restart();
    expect(await send(server.port, 'GET name')).toBe('$7\r\nsublace\r\n');
    await server.stop();
    expect(existsSync(server.dir)).toBe(false);
  });

  it('starts one without persistence, with a password, with more configuration', async () => {
    const server = await started({ appendonly: false, password: 'p/w', config: [['maxmemory-policy', 'allkeys-lru']] });
    expect(server.url).toBe(`redis://:p%2Fw@127.0.0.1:${server.port}`);
    expect(await send(server.port, 'PING')).toMatch(/^-NOAUTH/);
    await server.kill();
    await server.restart();
    expect(await send(server.port, 'PING')).toMatch(/^-NOAUTH/);
  });

  it('says in one line why a server does not start', async () => {
    const first = await started();
    await expect(startRedis({ port: first.port })).rejects.toThrow(/expected it to start, got its end: .*already in use/);
  });
});
