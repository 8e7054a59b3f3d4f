import { SublaceError } from '@sublace/errors';
import type { ModelKey, ServingObserver } from '../observe/observer.ts';
import type { LoadedModel, ModelDescription } from './model.ts';

/** One version of one model, loaded. */
export interface ServedVersion extends ModelKey {
  readonly model: LoadedModel;
}

/** A version that stays loaded until it is released. */
export interface VersionLease extends ServedVersion {
  /** Called once, when the answer is out. */
  release(): void;
}

/** A version to serve, and how to get it. */
export interface NamedModel extends ModelKey {
  load(): Promise<LoadedModel>;
}

/** `loading` until its warm-up inference has succeeded, then `ready`. */
interface Entry extends ModelKey {
  model?: LoadedModel;
  state: 'loading' | 'ready';
  inFlight: number;
}

/** The models on offer: which version answers, whether it may be asked, and how many answers are being computed. */
export class ModelRepository {
  readonly #entries: Entry[] = [];
  readonly #observer: ServingObserver;
  #isDraining = false;
  #onIdle: (() => void)[] = [];

  /**
   * @param observer  Is told of every change.
   */
  constructor(observer: ServingObserver) {
    this.#observer = observer;
  }

  /**
   * Puts versions on offer: of several of one name, the last is the one served by default. They are loaded and warmed one after the other.
   *
   * @param models  What to serve.
   * @param warmUp  One inference; its failure is the version's.
   * @throws SublaceError of the first that cannot be loaded.
   */
  async start(models: readonly NamedModel[], warmUp: (served: ServedVersion) => Promise<void>): Promise<void> {
    const entries = models.map(({ name, version }): Entry => ({ name, version, state: 'loading', inFlight: 0 }));
    this.#entries.push(...entries);
    for (const [i, entry] of entries.entries()) {
      this.#observer.modelChanged(entry, 'loading');
      entry.model = await models[i].load();
      await warmUp({ name: entry.name, version: entry.version, model: entry.model });
      entry.state = 'ready';
      this.#observer.modelChanged(entry, 'ready');
    }
  }

  /** Whether every model is ready and the server is not shutting down. */
  get isReady(): boolean {
    return !this.#isDraining && this.#entries.every((entry) => entry.state === 'ready');
  }

  /** Names of the models on offer. */
  get names(): string[] {
    return [...new Set(this.#entries.map((entry) => entry.name))];
  }

  /**
   * The versions of one model.
   *
   * @param name  Model name.
   * @returns  In the order given, the default last; empty for a name that is not on offer.
   */
  versionsOf(name: string): string[] {
    return this.#entries.filter((entry) => entry.name === name).map((entry) => entry.version);
  }

  /**
   * What a version says of itself.
   *
   * @param name  Model name.
   * @param version  Empty: the default version.
   * @returns  Its description.
   * @throws SublaceError NOT_FOUND for a name or version that is not on offer, UNAVAILABLE before it is loaded.
   */
  describe(name: string, version = ''): ModelKey & { description: ModelDescription } {
    const entry = this.#entry(name, version);
    return { name: entry.name, version: entry.version, description: loaded(entry).description };
  }

  /**
   * Whether a model may be asked now.
   *
   * @param name  Model name.
   * @param version  Empty: the default version.
   * @returns  False while it warms up and once the server drains.
   * @throws SublaceError NOT_FOUND for a name or version that is not on offer.
   */
  isModelReady(name: string, version = ''): boolean {
    return this.#entry(name, version).state === 'ready' && !this.#isDraining;
  }

  /**
   * The version that answers a request; it stays loaded until the lease is released.
   *
   * @param name  Model name.
   * @param version  Empty: the default version.
   * @returns  The version.
   * @throws SublaceError NOT_FOUND for a name or version that is not on offer, UNAVAILABLE while it warms up or the server drains.
   */
  acquire(name: string, version = ''): VersionLease {
    const entry = this.#entry(name, version);
    if (entry.state !== 'ready' || this.#isDraining) {
      throw new SublaceError(
        'UNAVAILABLE',
        `model '${name}': expected it to be ready, got one that is warming up or draining; try again later`,
      );
    }
    entry.inFlight += 1;
    const release = (): void => {
      entry.inFlight -= 1;
      if (this.#inFlight === 0) this.#onIdle.splice(0).forEach((resolve) => resolve());
    };
    return { name: entry.name, version: entry.version, model: loaded(entry), release };
  }

  /** From now on nothing is ready; answers under way may finish. */
  drain(): void {
    this.#isDraining = true;
  }

  /** Resolves once no answer is being computed. */
  async whenIdle(): Promise<void> {
    if (this.#inFlight > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  get #inFlight(): number {
    return this.#entries.reduce((sum, entry) => sum + entry.inFlight, 0);
  }

  #entry(name: string, version: string): Entry {
    const versions = this.#entries.filter((entry) => entry.name === name);
    if (versions.length === 0) {
      throw new SublaceError('NOT_FOUND', `expected one of the models ${this.names.join(', ')}, got '${name}'`);
    }
    const entry = version === '' ? versions.at(-1) : versions.find((candidate) => candidate.version === version);
    if (!entry)
      throw new SublaceError('NOT_FOUND', `model '${name}': expected version ${this.versionsOf(name).join(' or ')}, got '${version}'`);
    return entry;
  }
}

function loaded({ name, model }: Entry): LoadedModel {
  if (!model)
    throw new SublaceError('UNAVAILABLE', `model '${name}': expected it to be loaded, got one that is still loading; try again later`);
  return model;
}
