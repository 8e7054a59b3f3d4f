import { SublaceError } from '@sublace/errors';
import type { ModelChange, ModelKey, ServingObserver } from '../observe/observer.ts';
import type { MemoryBudget, Room } from './memory-budget.ts';
import type { LoadedModel, ModelDescription } from './model.ts';
import { retryDelayMs } from './retry-delay.ts';
import type { WantedVersion } from './wanted-model.ts';

/**
 * Where a version is in its life. `loading`: until its warm-up has been answered; `ready`: it may be asked; `draining`: it takes no more requests, those
 * that it has finish; `unloaded`: its memory is free; `failed`: it could not be loaded, and is tried again when that may help.
 *
 *     loading -> ready -> draining -> unloaded        draining -> ready: wanted again before its memory was freed
 *     loading -> failed -> loading | unloaded         loading -> unloaded: no longer wanted when it was there
 */
export type VersionState = 'loading' | 'ready' | 'draining' | 'unloaded' | 'failed';

/** One version of one model, loaded. */
export interface ServedVersion extends ModelKey {
  readonly model: LoadedModel;
}

/** A version that stays loaded until it is released. */
export interface VersionLease extends ServedVersion {
  /** Called once, when the answer is out. */
  release(): void;
}

/** What all versions share. */
export interface VersionSurroundings {
  readonly observer: ServingObserver;
  readonly budget: MemoryBudget;
  /** One or more inferences; their failure is the version's. */
  warmUp(served: ServedVersion): Promise<void>;
  /** Marks as leaving what can go in favour of a version; false when there is nothing. */
  makeRoom(version: ModelVersion): boolean;
  /** Is told after every change of state. */
  changed(version: ModelVersion): void;
}

const changeOf: Record<VersionState, ModelChange> = {
  loading: 'loading',
  ready: 'ready',
  draining: 'unloading',
  unloaded: 'unloaded',
  failed: 'failed',
};

/** One version from its loading to its end: its state, who uses it, and when its memory may go. */
export class ModelVersion implements ModelKey {
  readonly name: string;
  readonly version: string;
  readonly #source: WantedVersion;
  readonly #surroundings: VersionSurroundings;
  #state: VersionState = 'loading';
  #failure: SublaceError | undefined;
  #sinceMs = Date.now();
  #isWanted = true;
  #isDisposing = false;
  #model: LoadedModel | undefined;
  #room: Room | undefined;
  #leases = 0;
  #computing = 0;
  #attempts = 0;
  #fingerprint = '';
  #retryTimer: NodeJS.Timeout | undefined;

  /**
   * Begins to load at once.
   *
   * @param name  Of the model.
   * @param source  The version, and how to get it.
   * @param surroundings  What all versions share.
   */
  constructor(name: string, source: WantedVersion, surroundings: VersionSurroundings) {
    this.name = name;
    this.version = source.version;
    this.#source = source;
    this.#surroundings = surroundings;
    void this.#load();
  }

  get state(): VersionState {
    return this.#state;
  }

  /** Why it is `failed`, else undefined. */
  get failure(): SublaceError | undefined {
    return this.#failure;
  }

  /** When its state became what it is, milliseconds since 1970. */
  get sinceMs(): number {
    return this.#sinceMs;
  }

  /** Requests that it has and has not answered yet. */
  get inFlight(): number {
    return this.#leases;
  }

  /** What it takes in memory now, or will once it is loaded. */
  get memoryBytes(): number {
    return this.#room?.bytes ?? 0;
  }

  /** Undefined before it is loaded and after it has gone. */
  get description(): ModelDescription | undefined {
    return this.#model?.description;
  }

  /** Whether it is too late to want it again: its memory is being freed, or has been. */
  get isGone(): boolean {
    return this.#isDisposing || this.#state === 'unloaded';
  }

  /**
   * Whether it is still needed. One that is not takes no more requests and goes after its last answer; until then it can be wanted again.
   *
   * @param isWanted  See above.
   */
  want(isWanted: boolean): void {
    if (isWanted === this.#isWanted || this.isGone) return;
    this.#isWanted = isWanted;
    this.#setLeaving(!isWanted);
    if (isWanted && this.#state === 'draining') {
      this.#enter('ready');
    } else if (!isWanted && this.#state === 'ready') {
      this.#enter('draining');
      this.#disposeWhenIdle();
    } else if (!isWanted && this.#state === 'failed') {
      clearTimeout(this.#retryTimer);
      this.#failure = undefined;
      this.#enter('unloaded');
    }
  }

  /** Tries again now, if it has failed and is wanted. */
  retry(): void {
    if (this.#state !== 'failed' || !this.#isWanted) return;
    clearTimeout(this.#retryTimer);
    void this.#load();
  }

  /** Ends its tries. */
  close(): void {
    clearTimeout(this.#retryTimer);
    this.#isWanted = false;
  }

  /**
   * Keeps it loaded for one request.
   *
   * @returns  The version; null unless it is ready.
   */
  lease(): VersionLease | null {
    if (this.#state !== 'ready' || !this.#model) return null;
    this.#leases += 1;
    let isReleased = false;
    const release = (): void => {
      if (isReleased) return;
      isReleased = true;
      this.#leases -= 1;
      this.#disposeWhenIdle();
    };
    return { name: this.name, version: this.version, model: this.#model, release };
  }

  async #load(): Promise<void> {
    const { budget } = this.#surroundings;
    const makeRoom = (): boolean => this.#surroundings.makeRoom(this);
    this.#failure = undefined;
    this.#attempts += 1;
    this.#enter('loading');
    const what = `${this.name} version ${this.version}`;
    try {
      this.#fingerprint = await this.#currentFingerprint();
      this.#room = await budget.take(what, (await this.#source.estimateBytes?.()) ?? 0, makeRoom);
      if (!this.#isWanted) {
        await this.#dispose();
        return;
      }
      this.#model = this.#counted(await this.#source.load());
      if (this.#isWanted) await budget.resize(this.#room, this.#model.description.memoryBytes, makeRoom);
      if (this.#isWanted) await this.#surroundings.warmUp({ name: this.name, version: this.version, model: this.#model });
      if (!this.#isWanted) {
        await this.#dispose();
        return;
      }
      this.#attempts = 0;
      this.#enter('ready');
    } catch (error) {
      await this.#fail(SublaceError.from(error));
    }
  }

  async #fail(failure: SublaceError): Promise<void> {
    if (this.#model && this.#isWanted) {
      const model = this.#model;
      this.#model = undefined;
      await model.dispose().catch(() => undefined);
    }
    if (!this.#isWanted) return this.#dispose();
    if (this.#room) this.#surroundings.budget.giveBack(this.#room);
    this.#room = undefined;
    this.#failure = failure;
    this.#enter('failed');
    this.#awaitRetry();
  }

  /** What a later try may mend is tried again; anything else once the artifact is another one. */
  #awaitRetry(): void {
    const isRetryable = this.#failure?.isRetryable === true;
    this.#retryTimer = setTimeout(
      () => {
        if (isRetryable) {
          this.retry();
          return;
        }
        void this.#currentFingerprint().then((fingerprint) => {
          if (this.#state !== 'failed' || !this.#isWanted) return;
          if (fingerprint === this.#fingerprint) this.#awaitRetry();
          else this.retry();
        });
      },
      retryDelayMs(this.#attempts, isRetryable),
    ).unref();
  }

  /** Empty where it cannot be told: the same as before, then. */
  async #currentFingerprint(): Promise<string> {
    return (await this.#source.fingerprint?.().catch(() => undefined)) ?? '';
  }

  /** A model is in use until its last batch is computed, also when those who asked have gone. */
  #counted(model: LoadedModel): LoadedModel {
    return {
      description: model.description,
      infer: async (requests) => {
        this.#computing += 1;
        try {
          return await model.infer(requests);
        } finally {
          this.#computing -= 1;
          this.#disposeWhenIdle();
        }
      },
      dispose: () => model.dispose(),
    };
  }

  #disposeWhenIdle(): void {
    if (this.#state === 'draining' && !this.#isDisposing && this.#leases === 0 && this.#computing === 0) void this.#dispose();
  }

  async #dispose(): Promise<void> {
    this.#isDisposing = true;
    this.#setLeaving(true);
    await this.#model?.dispose().catch(() => undefined);
    this.#model = undefined;
    if (this.#room) this.#surroundings.budget.giveBack(this.#room);
    this.#room = undefined;
    this.#enter('unloaded');
  }

  #setLeaving(isLeaving: boolean): void {
    if (this.#room) this.#surroundings.budget.setLeaving(this.#room, isLeaving);
  }

  #enter(state: VersionState): void {
    this.#state = state;
    this.#sinceMs = Date.now();
    this.#surroundings.observer.modelChanged({ name: this.name, version: this.version }, changeOf[state], this.#failure?.message);
    this.#surroundings.changed(this);
  }
}
