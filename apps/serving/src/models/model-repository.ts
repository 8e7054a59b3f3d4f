import { SublaceError } from '@sublace/errors';
import type { ModelKey, ServingObserver } from '../observe/observer.ts';
import { MemoryBudget } from './memory-budget.ts';
import { indexOf, type IndexedVersion } from './model-index.ts';
import type { ServedVersion, VersionLease, VersionSurroundings } from './model-version.ts';
import type { ModelDescription } from './model.ts';
import { modelsDefaults, type ModelsOptions } from './options.ts';
import { VersionedModel } from './versioned-model.ts';
import { STABLE, type WantedModel, type WantedVersion } from './wanted-model.ts';

/** A version to serve, and how to get it. */
export type NamedModel = ModelKey & WantedVersion;

/** How a repository treats its models; see `ModelsOptions`. */
export type RepositoryOptions = Partial<
  Pick<ModelsOptions, 'canaryShare' | 'memoryLimitBytes' | 'swap' | 'keepPrevious' | 'strictReadiness'>
> & {
  /** One or more inferences of a version that has been loaded; their failure is the version's. Default: none. */
  warmUp?: (served: ServedVersion) => Promise<void>;
};

/**
 * The models on offer: which version of which model answers, whether it may be asked, and how many answers are being computed.
 *
 * Sources say what is wanted (`want`); the repository loads it, warms it, moves the labels to it in one step, and lets go of what is not wanted any more
 * once its last answer is out. What cannot be loaded never answers: the version before it stays.
 */
export class ModelRepository {
  readonly #models = new Map<string, VersionedModel>();
  readonly #options: Omit<RepositoryOptions, 'warmUp'> & typeof modelsDefaults;
  readonly #surroundings: VersionSurroundings;
  readonly #listeners = new Set<() => void>();
  /** Sources that have not said yet what they want. */
  #silentSources = 0;
  #isLeaving = false;
  #isDraining = false;
  #leases = 0;
  #onIdle: (() => void)[] = [];

  /**
   * @param observer  Is told of every change.
   * @param options  Limits and policies; defaults are those of `modelsDefaults`.
   */
  constructor(observer: ServingObserver, { warmUp, ...options }: RepositoryOptions = {}) {
    this.#options = { ...modelsDefaults, ...options };
    this.#surroundings = {
      observer,
      budget: new MemoryBudget(this.#options.memoryLimitBytes),
      warmUp: (served) => warmUp?.(served) ?? Promise.resolve(),
      makeRoom: ({ name }) => this.#makeRoom(name),
      changed: ({ name, state }) => {
        this.#models.get(name)?.reconcile();
        if (state === 'unloaded') for (const model of this.#models.values()) model.retryFailed('RESOURCE_EXHAUSTED');
        this.#tell();
      },
    };
  }

  /**
   * Serves versions that never change, beside what other sources want: of several of one name, the last is stable. Models are loaded one after the other.
   *
   * @param models  What to serve.
   * @throws SublaceError of the first that cannot be loaded; without strict readiness only when none can be.
   */
  async start(models: readonly NamedModel[]): Promise<void> {
    const failures: SublaceError[] = [];
    const names = [...new Set(models.map(({ name }) => name))];
    const ended = this.addSource();
    for (const name of names) {
      const versions = models.filter((model) => model.name === name);
      this.want({ name, versions, labels: { [STABLE]: versions[versions.length - 1].version } });
      const failure = await this.#settled(name);
      if (failure) failures.push(failure);
      if (failure && this.#options.strictReadiness) break;
    }
    ended();
    if (failures.length > 0 && (this.#options.strictReadiness || failures.length === names.length)) throw failures[0];
  }

  /**
   * Announces a source: nothing is ready before it has said for the first time what it wants.
   *
   * @returns  To be called once it has.
   */
  addSource(): () => void {
    this.#silentSources += 1;
    let isSilent = true;
    return () => {
      if (!isSilent) return;
      isSilent = false;
      this.#silentSources -= 1;
      this.#tell();
    };
  }

  /**
   * Changes what is served under a name, step by step and without a gap: what answers now goes on until what is to answer is ready. Only the last wish counts.
   *
   * @param wanted  Versions and labels; without the label `stable` the model is one that is missing.
   */
  want(wanted: WantedModel): void {
    const model = this.#models.get(wanted.name) ?? new VersionedModel(wanted.name, this.#options, this.#surroundings);
    this.#models.set(wanted.name, model);
    model.want(wanted);
    this.#tell();
  }

  /**
   * Takes a model out of service that its source does not want any more.
   *
   * @param name  Model name; one that is not known is out of service already.
   */
  unwant(name: string): void {
    this.#models.get(name)?.want(undefined);
    this.#tell();
  }

  /** Whether the server may be asked: not shutting down, and every model ready. See `strictReadiness`. */
  get isReady(): boolean {
    if (this.#isLeaving || this.#silentSources > 0) return false;
    const models = [...this.#models.values()].filter((model) => model.isWanted);
    if (this.#options.strictReadiness) return models.every((model) => model.isReady);
    const isSettled = models.every((model) => model.isReady || model.expected('')?.state !== 'loading');
    return isSettled && (models.length === 0 || models.some((model) => model.isReady));
  }

  /** Names of the models, also of those that are not ready. */
  get names(): string[] {
    return [...this.#models.keys()];
  }

  /**
   * The versions of one model that can be asked.
   *
   * @param name  Model name.
   * @returns  In the order of their numbers; empty for a name that is not on offer.
   */
  versionsOf(name: string): string[] {
    const versions = this.#models.get(name)?.versions ?? [];
    return versions.filter(({ state }) => state === 'ready').map(({ version }) => version);
  }

  /** Every version of every model with its state, those that have failed or gone not long ago included: for the repository index and the page. */
  index(): IndexedVersion[] {
    return [...this.#models.values()].flatMap(indexOf);
  }

  /**
   * What a version says of itself.
   *
   * @param name  Model name.
   * @param version  A number, a label, or empty for stable.
   * @returns  Its description.
   * @throws SublaceError NOT_FOUND for a name or version that is not on offer, UNAVAILABLE before it is loaded.
   */
  describe(name: string, version = ''): ModelKey & { description: ModelDescription } {
    const model = this.#model(name);
    const found = model.ready(version);
    if (!found?.description) throw this.#whyNot(model, version);
    return { name, version: found.version, description: found.description };
  }

  /**
   * Whether a model may be asked now.
   *
   * @param name  Model name.
   * @param version  A number, a label, or empty for stable.
   * @returns  False while it warms up and once the server drains.
   * @throws SublaceError NOT_FOUND for a name or version that is not on offer.
   */
  isModelReady(name: string, version = ''): boolean {
    const model = this.#model(name);
    if (model.ready(version)) return !this.#isLeaving;
    const why = this.#whyNot(model, version);
    if (why.code === 'NOT_FOUND' && version !== '') throw why;
    return false;
  }

  /**
   * The version that answers a request; it stays loaded until the lease is released.
   *
   * @param name  Model name.
   * @param version  A number, a label, or empty: stable, or the canary for its share.
   * @returns  The version.
   * @throws SublaceError NOT_FOUND for a name or version that is not on offer, UNAVAILABLE while it warms up or the server drains.
   */
  acquire(name: string, version = ''): VersionLease {
    const model = this.#model(name);
    const lease = this.#isDraining ? null : model.lease(version);
    if (!lease) throw this.#whyNot(model, version);
    this.#leases += 1;
    let isReleased = false;
    const release = (): void => {
      if (isReleased) return;
      isReleased = true;
      this.#leases -= 1;
      lease.release();
      if (this.#leases === 0) this.#onIdle.splice(0).forEach((resolve) => resolve());
    };
    return { ...lease, release };
  }

  /**
   * Takes a model into service that `unload` took out, and tries again at once what failed: the repository call of the protocol. Versions are what the
   * sources say; a name that they do not is none.
   *
   * @param name  Model name.
   * @param version  A number: loads this version too, for requests that name it; it stays until `unload` or the end of the process.
   * @throws SublaceError NOT_FOUND for a name or version that the sources do not have; why it could not be loaded, otherwise.
   */
  async load(name: string, version = ''): Promise<void> {
    const model = this.#model(name);
    model.load(version === '' ? undefined : await model.find(version));
    const failure = await this.#settled(name, version);
    if (failure) throw failure;
  }

  /**
   * Takes a model out of service until `load`, whatever its source says meanwhile: the repository call of the protocol. It is not asked for readiness then.
   *
   * @param name  Model name.
   * @throws SublaceError NOT_FOUND for a name that is not on offer.
   */
  async unload(name: string): Promise<void> {
    const model = this.#model(name);
    model.unload();
    await this.#until(() => !model.isUnloaded || model.versions.every(({ state }) => state === 'unloaded'));
  }

  /**
   * Calls a function after every change, until told otherwise: states, labels, readiness. It may be called when nothing has changed.
   *
   * @param listener  Neither throws nor waits.
   * @returns  Ends the calls.
   */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves once the server may be asked for the first time; see `isReady`. */
  async whenReady(): Promise<void> {
    await this.#until(() => this.isReady);
  }

  /** From now on nothing is ready, but requests are still answered: whoever sends them has yet to hear of it. */
  leave(): void {
    this.#isLeaving = true;
    this.#tell();
  }

  /** From now on nothing is ready or answered, and nothing that failed is tried again; answers under way may finish. */
  drain(): void {
    this.#isLeaving = true;
    this.#isDraining = true;
    for (const model of this.#models.values()) model.close();
    this.#tell();
  }

  /** Resolves once no answer is being computed. */
  async whenIdle(): Promise<void> {
    if (this.#leases > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  #model(name: string): VersionedModel {
    const model = this.#models.get(name);
    if (model) return model;
    throw new SublaceError('NOT_FOUND', `expected one of the models ${this.names.join(', ') || '(there is none)'}, got '${name}'`);
  }

  #whyNot(model: VersionedModel, version: string): SublaceError {
    const what = `model '${model.name}'`;
    if (this.#isDraining) return new SublaceError('UNAVAILABLE', `${what}: expected it to be ready, got a server that is draining`);
    if (model.isUnloaded) return new SublaceError('NOT_FOUND', `${what}: expected it to be loaded, got one that was unloaded on request`);
    const expected = model.expected(version);
    if (expected?.state === 'failed') {
      return new SublaceError(
        'UNAVAILABLE',
        `${what}: expected it to be ready, got version ${expected.version} that could not be loaded; the repository index says why`,
      );
    }
    if (!expected && (version === '' || version === STABLE)) {
      return new SublaceError('UNAVAILABLE', `${what}: expected a version labelled '${STABLE}', got none yet; label one`);
    }
    if (version === '' || expected?.state === 'loading') {
      return new SublaceError('UNAVAILABLE', `${what}: expected it to be ready, got one that is warming up; try again later`);
    }
    const offered = this.versionsOf(model.name).join(' or ') || 'none yet';
    return new SublaceError('NOT_FOUND', `${what}: expected version ${offered}, got '${version}'`);
  }

  /** What nobody needs any more goes first, then, if that is wanted, what is to be replaced. */
  #makeRoom(name: string): boolean {
    for (const model of this.#models.values()) if (model.dropPrevious()) return true;
    return this.#options.swap === 'resource-preserving' && this.#models.get(name)?.dropReplaced() === true;
  }

  /** Waits until a version is ready or has failed; returns why it has. */
  async #settled(name: string, version = ''): Promise<SublaceError | undefined> {
    const model = this.#model(name);
    const isSettled = (): boolean => {
      const state = model.expected(version)?.state;
      return model.isUnloaded || state === undefined || state === 'ready' || state === 'failed';
    };
    await this.#until(isSettled);
    return model.expected(version)?.failure;
  }

  async #until(condition: () => boolean): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve) => {
      const end = this.onChange(() => {
        if (!condition()) return;
        end();
        resolve();
      });
    });
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
