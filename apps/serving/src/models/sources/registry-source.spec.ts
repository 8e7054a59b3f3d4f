import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openRegistry, type Registry } from '@sublace/artifact-store';
import { SublaceError } from '@sublace/errors';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ScriptedVersions } from '../../../test/scripted-version.ts';
import type { ServingLog } from '../../log.ts';
import { silentObserver } from '../../observe/observer.ts';
import { ModelRepository } from '../model-repository.ts';
import { LastKnown } from './last-known.ts';
import type { ModelSource } from './model-source.ts';
import { registrySource, type RegistrySourceOptions } from './registry-source.ts';

const patience = { timeout: 30_000, interval: 5 };

let folder: string;
let registry: Registry;
let scripted: ScriptedVersions;
let repository: ModelRepository;
let lines: string[];
const sources: ModelSource[] = [];

const write = (fields: object, message: string): void => void lines.push(`${message} ${JSON.stringify(fields)}`);
const log: ServingLog = { info: write, error: write };

/** A registry that can be taken away. */
function follow(names: string[], lastKnown?: LastKnown, from: Registry = openRegistry(folder)): void {
  const versionOf: RegistrySourceOptions['versionOf'] = ({ version }) => scripted.version(String(version));
  const source = registrySource({ registry: from, names, versionOf, log, ...(lastKnown && { lastKnown }) });
  sources.push(source);
  source.start(repository);
}

const publish = async (name: string, letter: string): Promise<void> => {
  const { version } = await registry.register(name, { uri: `/posteriors/${letter}`, digest: letter.repeat(64) });
  await registry.setPointer(name, 'stable', version);
};

const unreachable: Registry = {
  ...({} as Registry),
  names: () => Promise.reject(new SublaceError('UNAVAILABLE', 'Redis at host: cannot be reached')),
  watch: async function* () {
    await Promise.resolve();
    throw new SublaceError('UNAVAILABLE', 'Redis at host: cannot be reached');
  },
  close: () => Promise.resolve(),
};

/** Lines about whether the registry can be read. */
const saysOfRegistry = (): string[] => lines.filter((line) => line.startsWith('registry can'));

/** Counts how often a registry has listed its names. */
function countListings(of: Registry): { count: number } {
  const listed = { count: 0 };
  const names = of.names.bind(of);
  of.names = () => names().finally(() => (listed.count += 1));
  return listed;
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'registry-source-'));
  registry = openRegistry(folder);
  scripted = new ScriptedVersions();
  repository = new ModelRepository(silentObserver);
  lines = [];
});

afterEach(async () => {
  for (const source of sources.splice(0)) await source.stop();
  await registry.close();
  await rm(folder, { recursive: true, force: true });
});

/** Ends every load well until the server is ready. */
const ready = (): Promise<void> => expect.poll(() => (scripted.pending[0]?.succeed(), repository.isReady), patience).toBe(true);
const isServed = (name: string): boolean => (
  scripted.pending[0]?.succeed(),
  repository.names.includes(name) && repository.isModelReady(name)
);

describe('following a registry', () => {
  it('misses a name that it was told of until that has a stable version', async () => {
    follow(['m']);
    expect(repository.isReady).toBe(false);
    expect(repository.index()).toEqual([]);
    await publish('m', 'a');
    await ready();
    expect(repository.acquire('m').version).toBe('1');
    await repository.load('m', '1');
    await expect(repository.load('m', '9')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(repository.load('m', '../x')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('serves every name otherwise, also those that come, and does not miss what nobody asked for', async () => {
    await publish('a', 'a');
    await registry.register('unlabelled', { uri: '/posteriors/u', digest: 'c'.repeat(64) });
    follow([]);
    await ready();
    expect([repository.isModelReady('a'), repository.names]).toEqual([true, ['a']]);
    await publish('b', 'b');
    await expect.poll(() => isServed('b'), patience).toBe(true);
    await registry.setPointer('b', 'stable', null);
    await expect.poll(() => repository.isModelReady('b'), patience).toBe(false);
    expect(repository.isReady).toBe(true);
  });

  it('is not ready with a name whose labels are damaged, and serves the others', async () => {
    await publish('a', 'a');
    await publish('b', 'b');
    await writeFile(join(folder, 'registry', 'b', 'pointers.json'), '{');
    follow([]);
    await expect.poll(() => isServed('a'), patience).toBe(true);
    expect(repository.isReady).toBe(false);
    expect(lines).toContainEqual(
      expect.stringMatching(/labels of the registry cannot be read.*"model":"b".*pointers\.json: expected labels/),
    );
    expect(lines.filter((line) => line.startsWith('registry can'))).toEqual([]);
  });

  it('says once that a folder is gone, and once that it is back; what is served stays served', async () => {
    await publish('m', 'a');
    await publish('n', 'b');
    const listed = countListings(registry);
    follow([], undefined, registry);
    await ready();
    await expect.poll(() => isServed('n'), patience).toBe(true);
    await rename(folder, `${folder}-away`);
    await expect.poll(saysOfRegistry, patience).toHaveLength(1);
    // A folder that is gone has no names, and that is no error.
    const before = listed.count;
    await expect.poll(() => listed.count, patience).toBeGreaterThan(before + 1);
    expect(saysOfRegistry()).toEqual([
      expect.stringMatching(/^registry cannot be read.*expected labels of revision 1 or later.*"served":{"m":\["1"\],"n":\["1"\]}/),
    ]);
    expect(['m', 'n'].map((name) => repository.acquire(name).version)).toEqual(['1', '1']);
    await rename(`${folder}-away`, folder);
    await expect.poll(saysOfRegistry, patience).toHaveLength(2);
    expect(saysOfRegistry()[1]).toMatch(/^registry can be read again/);
  });

  it('still knows that there were labels after they were damaged: a folder that is gone takes nothing out of service', async () => {
    await publish('m', 'a');
    follow([]);
    await ready();
    await writeFile(join(folder, 'registry', 'm', 'pointers.json'), '{');
    await expect.poll(() => lines, patience).toContainEqual(expect.stringMatching(/^labels of the registry cannot be read/));
    await rename(join(folder, 'registry'), join(folder, 'away'));
    await expect
      .poll(saysOfRegistry, patience)
      .toEqual([expect.stringMatching(/expected labels of revision 1 or later.*"served":{"m":\["1"\]}/)]);
    expect(repository.acquire('m').version).toBe('1');
  });

  it.each([[[]], [['m']]])('goes on with what it was told last when the folder is gone at the start, serving %j', async (names) => {
    const path = join(folder, 'known', 'labels.json');
    await publish('m', 'a');
    follow(names, new LastKnown(path, folder));
    await ready();
    await sources.splice(0)[0].stop();
    await rename(join(folder, 'registry'), join(folder, 'away'));
    repository = new ModelRepository(silentObserver);
    follow(names, new LastKnown(path, folder));
    await ready();
    expect(repository.acquire('m').version).toBe('1');
    expect(saysOfRegistry()).toHaveLength(1);
    await rename(join(folder, 'away'), join(folder, 'registry'));
    await publish('m', 'b');
    await expect.poll(() => isServed('m') && repository.acquire('m').version, patience).toBe('2');
    expect(saysOfRegistry()).toHaveLength(2);
  });

  it('goes on with what it was told last when the registry cannot be reached at the start', async () => {
    const path = join(folder, 'known', 'labels.json');
    await publish('m', 'a');
    follow([], new LastKnown(path, 'redis://host'));
    await ready();
    await sources.splice(0)[0].stop();
    repository = new ModelRepository(silentObserver);
    follow([], new LastKnown(path, 'redis://host'), unreachable);
    await ready();
    expect(repository.acquire('m').version).toBe('1');
    expect(
      lines.filter((line) => line.startsWith('registry cannot be read')),
      'said once',
    ).toHaveLength(1);
  });

  it('does not take what another registry said, or a file that is damaged, for its own', async () => {
    const path = join(folder, 'labels.json');
    const known = new LastKnown(path, 'redis://one');
    await known.set('m', { revision: 1, labels: { stable: 1 }, versions: [] });
    expect(new LastKnown(path, 'redis://one').names).toEqual(['m']);
    expect(new LastKnown(path, 'redis://two').names).toEqual([]);
    await writeFile(path, '{"models":');
    expect(new LastKnown(path, 'redis://one').names).toEqual([]);
  });

  it('refuses names that no registry has', () => {
    expect(() => follow(['../x'])).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});
