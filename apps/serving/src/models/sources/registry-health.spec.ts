import { SublaceError } from '@sublace/errors';
import { beforeEach, describe, expect, it } from 'vitest';
import { RegistryHealth } from './registry-health.ts';

const gone = new SublaceError('UNAVAILABLE', 'Redis at host: cannot be reached');
const damaged = new SublaceError('DATA_INVALID', 'pointers.json: expected labels');

let lines: string[];
let health: RegistryHealth;

beforeEach(() => {
  lines = [];
  const write = (fields: object, message: string): void => void lines.push(`${message} ${JSON.stringify(fields)}`);
  health = new RegistryHealth({ info: write, error: write }, () => ({ m: ['1'] }));
});

describe('RegistryHealth', () => {
  it('says once that a registry cannot be read, whoever finds it, and that it can again when all have read it', () => {
    health.look('', undefined);
    health.look('m', gone);
    for (let look = 0; look < 3; look++) {
      health.look('', undefined);
      health.look('m', gone);
    }
    health.look('', gone);
    health.look('m', undefined);
    expect(lines).toEqual([
      'registry cannot be read; what is served stays served {"reason":"Redis at host: cannot be reached","served":{"m":["1"]}}',
    ]);
    health.look('', undefined);
    expect(lines.slice(1)).toEqual(['registry can be read again {}']);
  });

  it('says of a damaged entry which one it is, and still that the registry cannot be read', () => {
    health.look('m', damaged);
    health.look('n', undefined);
    health.look('n', gone);
    health.look('n', undefined);
    health.look('m', damaged);
    health.look('m', undefined);
    expect(lines).toEqual([
      'labels of the registry cannot be read; what is served stays served {"model":"m","reason":"pointers.json: expected labels"}',
      'registry cannot be read; what is served stays served {"reason":"Redis at host: cannot be reached","served":{"m":["1"]}}',
      'registry can be read again {}',
      'labels of the registry can be read again {"model":"m"}',
    ]);
  });

  it('ends pauses when a look that failed succeeds', async () => {
    health.look('m', gone);
    const paused = health.pause(600_000);
    health.look('m', undefined);
    await paused;
  });
});
