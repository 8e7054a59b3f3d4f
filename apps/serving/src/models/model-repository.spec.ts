import { SublaceError } from '@sublace/errors';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ScriptedVersions, settle } from '../../test/scripted-version.ts';
import { silentObserver } from '../observe/observer.ts';
import { ModelRepository, type RepositoryOptions } from './model-repository.ts';

let scripted: ScriptedVersions;
let repository: ModelRepository;
const changes: string[] = [];

function make(options: RepositoryOptions = {}, bytes = 10): void {
  scripted = new ScriptedVersions(bytes);
  changes.length = 0;
  const modelChanged = ({ version }: { version: string }, change: string): void => void changes.push(`${version} ${change}`);
  repository = new ModelRepository({ ...silentObserver, modelChanged }, options);
}

/** What the source of model m wants. */
function want(stable: number, canary?: number, canaryShare?: number): void {
  const versions = [...new Set([stable, canary ?? stable])].map((number) => scripted.version(String(number)));
  const labels = { stable: String(stable), ...(canary !== undefined && { canary: String(canary) }) };
  const find = (version: string): Promise<ReturnType<typeof scripted.version>> => Promise.resolve(scripted.version(version));
  repository.want({ name: 'm', versions, labels, canaryShare, find });
}

/** Ends the load of a version, well or not. */
async function end(version: number, error?: SublaceError): Promise<void> {
  await settle();
  const load = scripted.pending.find((each) => each.version === String(version));
  if (!load) throw new Error(`expected a load of version ${version}, got those of ${scripted.pending.map((each) => each.version).join()}`);
  if (error) load.fail(error);
  else load.succeed();
  await settle();
}

const answering = (version = ''): string => {
  const lease = repository.acquire('m', version);
  lease.release();
  return lease.version;
};
const states = (): string[] => repository.index().map(({ version, state }) => `${version} ${state}`);
const damaged = new SublaceError('DIGEST_MISMATCH', 'factor: expected sha256 aa, got bb');

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a swap', () => {
  it('goes on with the old version until the new one is ready, and frees it after its last answer', async () => {
    make();
    want(1);
    expect(() => repository.acquire('m')).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }));
    await end(1);
    want(2);
    await settle();
    expect(answering()).toBe('1');
    const underWay = repository.acquire('m');
    await end(2);
    expect([answering(), states()]).toEqual(['2', ['1 draining', '2 ready']]);
    expect(() => repository.acquire('m', '1')).toThrow(/expected version 2, got '1'/);
    expect([...scripted.alive.values()]).toEqual(['1', '2']);
    underWay.release();
    underWay.release();
    await settle();
    expect([...scripted.alive.values()]).toEqual(['2']);
    expect(changes).toEqual(['1 loading', '1 ready', '2 loading', '2 ready', '1 unloading', '1 unloaded']);
  });

  it('waits for a batch whose clients have gone', async () => {
    make();
    want(1);
    await end(1);
    const lease = repository.acquire('m');
    const answer = lease.model.infer([{ input: Float32Array.of(0), count: 1, outputs: ['y'], parameters: {} }]);
    lease.release();
    want(2);
    await settle();
    scripted.pending[0].succeed();
    expect(await answer).toMatchObject([{ outputs: [{ name: 'y' }] }]);
    await settle();
    expect([scripted.violations, [...scripted.alive.values()]]).toEqual([[], ['2']]);
  });

  it('moves both labels in one step, and counts a version that both have once', async () => {
    make();
    want(1, 2, 0.5);
    await end(1);
    await end(2);
    expect([answering('stable'), answering('canary')]).toEqual(['1', '2']);
    expect([1, 2, 3, 4].map(() => answering())).toEqual(['1', '2', '1', '2']);
    expect(repository.index().map(({ labels, share }) => [labels, share])).toEqual([
      [['stable'], 0.5],
      [['canary'], 0.5],
    ]);
    want(2, 1);
    expect([answering('stable'), answering('canary'), answering()]).toEqual(['2', '1', '2']);
    expect(scripted.loads).toEqual({ '1': 1, '2': 1 });
  });
});

describe('a version that cannot be loaded', () => {
  it('never answers; one that is damaged is tried again when its artifact changes or the pointer moves', async () => {
    make();
    want(1);
    await end(1);
    want(2);
    await end(2, damaged);
    expect([answering(), repository.isReady]).toEqual(['1', true]);
    expect(repository.index()[1]).toMatchObject({ state: 'failed', reason: damaged.message, labels: [], share: 0 });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(scripted.loads['2'], 'the same artifact fails the same').toBe(1);
    scripted.artifacts.set('2', 'mended');
    await vi.advanceTimersByTimeAsync(2000);
    await end(2);
    expect(answering()).toBe('2');
    want(3);
    await end(3, damaged);
    want(3);
    await end(3);
    expect(answering()).toBe('3');
  });

  it('is tried again later and later where that may help, and not once it is no longer wanted', async () => {
    make();
    want(1);
    const away = new SublaceError('UNAVAILABLE', 'bucket: cannot be reached');
    for (const delayMs of [1000, 2000, 4000]) {
      await end(1, away);
      await vi.advanceTimersByTimeAsync(delayMs - 1);
      expect(scripted.pending).toEqual([]);
      await vi.advanceTimersByTimeAsync(1);
    }
    await end(1, away);
    want(2);
    await end(2);
    await vi.advanceTimersByTimeAsync(600_000);
    expect([states(), scripted.loads['1']]).toEqual([['2 ready', '1 unloaded'], 4]);
  });

  it('fails with its warm-up, and is freed', async () => {
    make({ warmUp: ({ version }) => (version === '2' ? Promise.reject(new SublaceError('MODEL_INVALID', 'NaN')) : Promise.resolve()) });
    want(1);
    await end(1);
    want(2);
    await end(2);
    expect([answering(), states(), [...scripted.alive.values()]]).toEqual(['1', ['1 ready', '2 failed'], ['1']]);
  });
});

describe('a memory limit', () => {
  it('refuses a version that has no room beside the one it would replace, and takes it once there is', async () => {
    make({ memoryLimitBytes: 25e6 }, 10e6);
    repository.want({ name: 'other', versions: [scripted.version('9')], labels: { stable: '9' } });
    await end(9);
    want(1);
    await end(1);
    want(2);
    await settle();
    expect([answering(), repository.isReady]).toEqual(['1', true]);
    expect(repository.index().at(-1)).toMatchObject({
      state: 'failed',
      reason: expect.stringMatching(/^m version 2: expected room for 10.0 MB within the memory limit of 25.0 MB, got other .*, m .* there/),
    });
    repository.unwant('other');
    await end(2);
    expect([answering(), states()]).toEqual(['2', ['9 unloaded', '2 ready', '1 unloaded']]);
  });

  it('unloads the old version first where it was told to', async () => {
    make({ memoryLimitBytes: 15, swap: 'resource-preserving' });
    want(1);
    await end(1);
    want(2);
    await settle();
    expect([repository.isReady, scripted.alive.size]).toEqual([false, 0]);
    await end(2);
    expect(answering()).toBe('2');
  });

  it('keeps the version before while nobody needs its memory: rolling back loads nothing', async () => {
    make({ keepPrevious: true, memoryLimitBytes: 25 });
    want(1);
    await end(1);
    want(2);
    await end(2);
    expect(states()).toEqual(['1 ready', '2 ready']);
    want(1);
    expect([answering(), scripted.pending.length]).toEqual(['1', 0]);
    want(3);
    await end(3);
    expect([answering(), states()]).toEqual(['3', ['1 ready', '3 ready', '2 unloaded']]);
  });
});

describe('readiness', () => {
  it('is strict: every model wanted, and every source heard', async () => {
    make();
    const heard = repository.addSource();
    expect(repository.isReady).toBe(false);
    heard();
    expect(repository.isReady).toBe(true);
    want(1);
    repository.want({ name: 'other', versions: [], labels: {} });
    await end(1);
    expect([repository.isReady, repository.isModelReady('m'), repository.isModelReady('other')]).toEqual([false, true, false]);
    expect(() => repository.acquire('other')).toThrow(/expected a version labelled 'stable', got none yet/);
  });

  it('is that of the models that could be loaded where it is not strict', async () => {
    make({ strictReadiness: false });
    want(1);
    repository.want({ name: 'other', versions: [scripted.version('9')], labels: { stable: '9' } });
    await end(1);
    expect(repository.isReady).toBe(false);
    await end(9, damaged);
    expect(repository.isReady).toBe(true);
  });
});

describe('on request', () => {
  it('unloads a model until it is loaded again, and loads a version beside the others', async () => {
    make();
    want(1);
    await end(1);
    await repository.unload('m');
    expect(() => repository.acquire('m')).toThrow(expect.objectContaining({ code: 'NOT_FOUND', message: expect.stringMatching(/unloaded on request/) as string })); // prettier-ignore
    expect([repository.isReady, repository.isModelReady('m'), scripted.alive.size]).toEqual([true, false, 0]);
    expect(repository.index()[0]).toMatchObject({ state: 'unloaded', reason: 'unloaded on request' });
    want(2);
    await settle();
    expect(scripted.pending).toEqual([]);
    const loading = repository.load('m');
    await end(2);
    await loading;
    expect(answering()).toBe('2');
    const another = repository.load('m', '7');
    await end(7);
    await another;
    expect([answering(), answering('7'), repository.versionsOf('m')]).toEqual(['2', '7', ['2', '7']]);
    const broken = repository.load('m', '8');
    const refused = expect(broken).rejects.toBe(damaged);
    await end(8, damaged);
    await refused;
    await expect(repository.load('none')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
