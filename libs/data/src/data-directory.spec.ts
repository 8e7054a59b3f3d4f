import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { dataCache, dataDirectories, findDataset } from './index.ts';

const root = mkdtempSync(join(tmpdir(), 'sublace-directory-'));
afterAll(() => rmSync(root, { recursive: true }));

describe('dataCache', () => {
  it('follows SUBLACE_CACHE, then XDG_CACHE_HOME, then the home folder', () => {
    expect(dataCache({ SUBLACE_CACHE: '/c', XDG_CACHE_HOME: '/x' })).toBe('/c/data');
    expect(dataCache({ XDG_CACHE_HOME: '/x' })).toBe('/x/sublace/data');
    expect(dataCache({ SUBLACE_CACHE: '', XDG_CACHE_HOME: '' })).toBe(join(homedir(), '.cache/sublace/data'));
  });
});

describe('dataDirectories', () => {
  it('takes SUBLACE_DATA, else SUBLACE_SHARED/data, and always the cache last', () => {
    mkdirSync(join(root, 'own'));
    mkdirSync(join(root, 'shared/data'), { recursive: true });
    const env = { SUBLACE_DATA: join(root, 'own'), SUBLACE_SHARED: join(root, 'shared'), SUBLACE_CACHE: join(root, 'cache') };
    expect(dataDirectories(env)).toEqual([join(root, 'own'), join(root, 'cache/data')]);
    expect(dataDirectories({ ...env, SUBLACE_DATA: '' })).toEqual([join(root, 'shared/data'), join(root, 'cache/data')]);
    expect(dataDirectories({ ...env, SUBLACE_DATA: '', SUBLACE_SHARED: join(root, 'gone') })).toEqual([join(root, 'cache/data')]);
    expect(() => dataDirectories({ ...env, SUBLACE_DATA: join(root, 'gone') })).toThrow('SUBLACE_DATA: expected a folder, got');
  });
});

describe('findDataset', () => {
  it('prefers the first directory, and the whole of CIFAR-10 to a subset', () => {
    const env = { SUBLACE_DATA: join(root, 'own'), SUBLACE_CACHE: join(root, 'cache') };
    expect(findDataset('cifar10', env)).toBeUndefined();
    mkdirSync(join(root, 'own/cifar10-subset'), { recursive: true });
    expect(findDataset('cifar10', env)).toBe(join(root, 'own/cifar10-subset'));
    mkdirSync(join(root, 'cache/data/cifar10'), { recursive: true });
    expect(findDataset('cifar10', env)).toBe(join(root, 'cache/data/cifar10'));
    mkdirSync(join(root, 'own/cifar10'));
    expect(findDataset('cifar10', env)).toBe(join(root, 'own/cifar10'));
  });
});
