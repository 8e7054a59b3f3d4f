import { describe, expect, it } from 'vitest';
import { parseRedisUrl } from './redis-target.ts';

describe('parseRedisUrl', () => {
  it('fills in port, database and namespace', () => {
    expect(parseRedisUrl('redis://redis')).toEqual({ url: 'redis://redis:6379/0', namespace: 'default', name: 'redis:6379/0' });
    expect(parseRedisUrl('rediss://u:p%40w@[::1]:7000/3?namespace=team-a')).toEqual({
      url: 'rediss://u:p%40w@[::1]:7000/3',
      namespace: 'team-a',
      name: '[::1]:7000/3',
    });
  });

  it('takes a password where the address has none', () => {
    expect(parseRedisUrl('redis://redis', 'p@w').url).toBe('redis://:p%40w@redis:6379/0');
    expect(parseRedisUrl('redis://:mine@redis', 'other').url).toBe('redis://:mine@redis:6379/0');
  });

  it.each([
    ['redis', 'an address that is no URL'],
    ['http://redis', "protocol 'http:'"],
    ['redis:///0', 'no host'],
    ['redis://redis/jobs', "database 'jobs'"],
    ['redis://redis?db=1', "parameter 'db'"],
    ['redis://redis?namespace=a%7Db', "namespace 'a}b'"],
    ['redis://redis?namespace=', "namespace ''"],
  ])('refuses %s', (url, got) => {
    const message = expect.stringContaining(`got ${got}`) as string;
    expect(() => parseRedisUrl(url)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', message }));
  });

  it('never shows a password', () => {
    for (const url of ['redis://:hidden@redis/jobs', 'http://:hidden@redis', 'redis://:hidden@redis?x=1', '//:hidden@redis'])
      expect(() => parseRedisUrl(url)).toThrow(expect.not.objectContaining({ message: expect.stringContaining('hidden') as string }));
  });
});
