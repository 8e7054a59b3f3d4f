import { SublaceError } from '@sublace/errors';
import type { ServedModel } from './served-model.ts';

/** A model on offer: `loaded` until its warm-up inference has succeeded, then `ready`. */
interface Entry {
  model: ServedModel;
  state: 'loaded' | 'ready';
}

/** The models on offer, whether they may be asked, and how many answers are being computed. */
export class ModelCatalogue {
  readonly #entries: Entry[];
  #isDraining = false;
  #pendingCount = 0;
  #onIdle: (() => void)[] = [];

  /**
   * @param models  In order: of several versions of one name, the last is the one served by default.
   */
  constructor(models: readonly ServedModel[]) {
    this.#entries = models.map((model) => ({ model, state: 'loaded' }));
  }

  /** Every model, ready or not. */
  get models(): ServedModel[] {
    return this.#entries.map((entry) => entry.model);
  }

  /** Whether every model is ready and the server is not shutting down. */
  get isReady(): boolean {
    return !this.#isDraining && this.#entries.every((entry) => entry.state === 'ready');
  }

  /**
   * The versions of one model.
   *
   * @param name  Model name.
   * @returns  In the order given, the default last; empty for a name that is not on offer.
   */
  versionsOf(name: string): string[] {
    return this.#entries.filter((entry) => entry.model.name === name).map((entry) => entry.model.version);
  }

  /**
   * The model that a request means.
   *
   * @param name  Model name.
   * @param version  Empty: the default version.
   * @returns  The model, ready or not.
   * @throws SublaceError NOT_FOUND for a name or version that is not on offer.
   */
  find(name: string, version = ''): ServedModel {
    return this.#entry(name, version).model;
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
   * Puts a model on offer, after its warm-up.
   *
   * @param model  One of `models`.
   */
  markReady(model: ServedModel): void {
    this.#entry(model.name, model.version).state = 'ready';
  }

  /** From now on nothing is ready; answers under way may finish. */
  drain(): void {
    this.#isDraining = true;
  }

  /**
   * Computes one answer, so that `whenIdle` waits for it.
   *
   * @param compute  The work.
   * @returns  What the work returns.
   */
  async track<T>(compute: () => Promise<T>): Promise<T> {
    this.#pendingCount += 1;
    try {
      return await compute();
    } finally {
      this.#pendingCount -= 1;
      if (this.#pendingCount === 0) this.#onIdle.splice(0).forEach((resolve) => resolve());
    }
  }

  /** Resolves once no answer is being computed. */
  async whenIdle(): Promise<void> {
    if (this.#pendingCount > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  #entry(name: string, version: string): Entry {
    const versions = this.#entries.filter((entry) => entry.model.name === name);
    if (versions.length === 0) {
      const known = [...new Set(this.models.map((model) => model.name))].join(', ');
      throw new SublaceError('NOT_FOUND', `expected one of the models ${known}, got '${name}'`);
    }
    const entry = version === '' ? versions.at(-1) : versions.find((candidate) => candidate.model.version === version);
    if (!entry)
      throw new SublaceError('NOT_FOUND', `model '${name}': expected version ${this.versionsOf(name).join(' or ')}, got '${version}'`);
    return entry;
  }
}
