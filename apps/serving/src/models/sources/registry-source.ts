import { setTimeout as sleep } from 'node:timers/promises';
import { checkRegistryName, type Pointers, type RegisteredVersion, type Registry } from '@sublace/artifact-store';
import { SublaceError } from '@sublace/errors';
import type { ServingLog } from '../../log.ts';
import type { ModelRepository } from '../model-repository.ts';
import { retryDelayMs } from '../retry-delay.ts';
import { CANARY, STABLE, type WantedModel, type WantedVersion } from '../wanted-model.ts';
import type { LastKnown } from './last-known.ts';
import type { ModelSource } from './model-source.ts';

/** Between two looks for new names. */
const NAMES_POLL_MS = 2000;

/** How to follow a registry. */
export interface RegistrySourceOptions {
  /** Closed with the source. */
  readonly registry: Registry;
  /** Names to serve; empty: every name that has a stable version. */
  readonly names: readonly string[];
  /** How a version is loaded. */
  versionOf(registered: RegisteredVersion): WantedVersion;
  readonly log: ServingLog;
  /** What the registry said last, for when it cannot be reached at the start. Default: nothing. */
  readonly lastKnown?: LastKnown;
}

/**
 * Follows a registry: of each name the versions that are labelled `stable` and `canary`, and the share of the canary. A registry that cannot be read is asked
 * again for ever; meanwhile what is served stays served.
 *
 * @param options  Registry, names, how to load.
 * @returns  The source.
 * @throws SublaceError INVALID_ARGUMENT for a name that is none.
 */
export function registrySource(options: RegistrySourceOptions): ModelSource {
  options.names.forEach(checkRegistryName);
  return new RegistrySource(options);
}

class RegistrySource implements ModelSource {
  readonly #options: RegistrySourceOptions;
  readonly #ended = new AbortController();
  readonly #following = new Map<string, Promise<void>>();
  #repository!: ModelRepository;
  #listing: Promise<void> | undefined;
  #isReachable = true;

  constructor(options: RegistrySourceOptions) {
    this.#options = options;
  }

  start(repository: ModelRepository): void {
    const { names } = this.#options;
    this.#repository = repository;
    for (const name of names) {
      // Missed until it is there.
      repository.want({ name, versions: [], labels: {} });
      this.#follow(name, () => undefined);
    }
    if (names.length === 0) this.#listing = this.#followNames(repository.addSource());
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    await this.#options.registry.close();
    await Promise.all([this.#listing, ...this.#following.values()]);
  }

  /** Every name there is, and those that come. */
  async #followNames(told: () => void): Promise<void> {
    const { registry, lastKnown } = this.#options;
    const signal = this.#ended.signal;
    let failures = 0;
    while (!signal.aborted) {
      try {
        const names = await registry.names();
        failures = 0;
        this.#look(undefined);
        await this.#followAll(names, told);
      } catch (error) {
        failures += 1;
        this.#look(SublaceError.from(error));
        if (lastKnown && lastKnown.names.length > 0) await this.#followAll(lastKnown.names, told);
      }
      await this.#pause(failures === 0 ? NAMES_POLL_MS : retryDelayMs(failures, true));
    }
  }

  /** Follows names that are new; `told` once each of them has been heard of. */
  async #followAll(names: readonly string[], told: () => void): Promise<void> {
    const fresh = names.filter((name) => !this.#following.has(name));
    const heard = fresh.map((name) => new Promise<void>((resolve) => this.#follow(name, resolve)));
    await Promise.race([Promise.all(heard), this.#whenEnded()]);
    told();
  }

  #follow(name: string, heard: () => void): void {
    this.#following.set(name, this.#followName(name, heard));
  }

  async #followName(name: string, heard: () => void): Promise<void> {
    const { registry, log, lastKnown } = this.#options;
    const signal = this.#ended.signal;
    let isKnown = false;
    let failures = 0;
    const look = (failure: SublaceError | undefined): void => {
      this.#look(failure);
      const remembered = failure && !isKnown ? lastKnown?.get(name) : undefined;
      if (!remembered) return;
      isKnown = true;
      log.info({ model: name, labels: remembered.labels }, 'serving what the registry said last, until it can be read');
      this.#apply(name, remembered, remembered.versions);
      heard();
    };
    while (!signal.aborted) {
      try {
        for await (const pointers of registry.watch(name, signal, look)) {
          const versions = await this.#versionsOf(name, pointers);
          if (signal.aborted) return;
          [isKnown, failures] = [true, 0];
          this.#apply(name, pointers, versions);
          await lastKnown?.set(name, { ...pointers, versions });
          heard();
        }
      } catch (thrown) {
        const error = SublaceError.from(thrown);
        look(error);
        // What no look will mend is missing, but the others need not wait for it.
        if (!isKnown && !error.isRetryable) {
          this.#repository.want({ name, versions: [], labels: {} });
          heard();
        }
      }
      failures += 1;
      await this.#pause(retryDelayMs(failures, true));
    }
  }

  async #versionsOf(name: string, { labels }: Pointers): Promise<RegisteredVersion[]> {
    const numbers = new Set([labels[STABLE], labels[CANARY]].filter((number) => number !== undefined));
    return Promise.all([...numbers].map((number) => this.#options.registry.get(name, number)));
  }

  #apply(name: string, { labels, shares, revision }: Pointers, versions: readonly RegisteredVersion[]): void {
    const { names, registry, log } = this.#options;
    const versionOf = (version: RegisteredVersion): WantedVersion => this.#options.versionOf(version);
    log.info({ model: name, labels, shares, revision }, 'labels of the registry');
    // A name that nobody has asked for is not missed.
    if (labels[STABLE] === undefined && names.length === 0) {
      this.#repository.unwant(name);
      return;
    }
    const served = Object.entries(labels).filter(([label]) => label === STABLE || label === CANARY);
    const wanted: WantedModel = {
      name,
      versions: versions.map(versionOf),
      labels: Object.fromEntries(served.map(([label, version]) => [label, String(version)])),
      canaryShare: shares?.[CANARY],
      find: async (version) => versionOf(await registry.get(name, Number(version))),
    };
    this.#repository.want(wanted);
  }

  /** Says once that the registry cannot be read, and once that it can again. */
  #look(failure: SublaceError | undefined): void {
    const { log } = this.#options;
    if (this.#ended.signal.aborted || (failure === undefined) === this.#isReachable) return;
    this.#isReachable = failure === undefined;
    if (failure) log.error({ reason: failure.message }, 'registry cannot be read; what is served stays served');
    else log.info({}, 'registry can be read again');
  }

  async #pause(delayMs: number): Promise<void> {
    await sleep(delayMs, undefined, { signal: this.#ended.signal, ref: false }).catch(() => undefined);
  }

  #whenEnded(): Promise<void> {
    return new Promise((resolve) => this.#ended.signal.addEventListener('abort', () => resolve(), { once: true }));
  }
}
