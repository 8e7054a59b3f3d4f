import { describe, expect, it } from 'vitest';
import { readOptions } from './options.ts';

const required: string[] = [];

describe('readOptions', () => {
  it('fills in defaults and takes the token from the environment only', () => {
    const options = readOptions(required, { SUBLACE_TOKEN: 'secret' });
    expect(options).toMatchObject({ host: '127.0.0.1', logLevel: 'info', security: { token: 'secret' } });
    expect(readOptions(required, {})?.security).toEqual({});
    expect(() => readOptions([...required, '--token', 'secret'], {})).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });

  it('names what it cannot understand', () => {
    for (const bad of [['--port', '70000'], ['--port', 'x'], ['--log-level', 'loud'], ['extra'], ['--no-such']]) {
      expect(() => readOptions([...required, ...bad], {})).toThrow(expect.objectContaining({ code: 'USAGE', exitCode: 2 }));
    }
  });

  it('takes a store in Redis, and its password from the environment only', () => {
    const url = 'redis://redis:6379/0?namespace=fits';
    expect(readOptions(['--store', url], { SUBLACE_REDIS_PASSWORD: 'secret' })).toMatchObject({ store: url, storePassword: 'secret' });
    const without = readOptions([], {});
    expect(without).not.toHaveProperty('store');
    expect(without).not.toHaveProperty('storePassword');
  });
});
