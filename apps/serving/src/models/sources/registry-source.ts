import { checkRegistryName, type Pointers, type RegisteredVersion, type Registry } from '@sublace/artifact-store';
import { SublaceError } from '@sublace/errors';
import type { ServingLog } from '../../log.ts';
import type { ModelRepository } from '../model-repository.ts';
import { retryDelayMs } from '../retry-delay.ts';
import { CANARY, STABLE, type WantedModel, type WantedVersion } from '../wanted-model.ts';
import type { LastKnown } from './last-known.ts';
import type { ModelSource } from './model-source.ts';
import { RegistryHealth } from './registry-health.ts';

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
  readonly #health: RegistryHealth;
  #repository!: ModelRepository;
  #listing: Promise<void> | undefined;

  constructor(options: RegistrySourceOptions) {
    this.#options = options;
    this.#health = new RegistryHealth(options.log, () => this.#served());
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
    this.#health.wake();
    await this.#options.registry.close();
    await Promise.all([this.#listing, ...this.#following.values()]);
  }

  /** Every name there is, and those that come. */
  async #followNames(told: () => void): Promise<void> {
    const { registry, lastKnown } = this.#options;
    const signal = this.#ended.signal;
    let failures = 0;
    while (!signal.aborted) {
      // Also while the registry can be read: a folder that is not mounted lists no names.
      const names = new Set(lastKnown?.names);
      try {
        for (const name of await registry.names()) names.add(name);
        failures = 0;
        this.#look('', undefined);
      } catch (error) {
        failures += 1;
        this.#look('', SublaceError.from(error));
      }
      if (failures === 0 || names.size > 0) await this.#followAll([...names], told);
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
    let since = lastKnown?.get(name)?.revision;
    const onLook = (failure: SublaceError | undefined): void => {
      this.#look(name, failure);
      const remembered = failure && !isKnown ? lastKnown?.get(name) : undefined;
      if (!remembered) return;
      isKnown = true;
      log.info({ model: name, labels: remembered.labels }, 'serving what the registry said last, until it can be read');
      this.#apply(name, remembered, remembered.versions);
      heard();
    };
    while (!signal.aborted) {
      try {
        for await (const pointers of registry.watch(name, signal, { onLook, since })) {
          const versions = await this.#versionsOf(name, pointers);
          if (signal.aborted) return;
          [isKnown, failures, since] = [true, 0, pointers.revision];
          this.#apply(name, pointers, versions);
          await lastKnown?.set(name, { ...pointers, versions });
          heard();
        }
      } catch (thrown) {
        const error = SublaceError.from(thrown);
        onLook(error);
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

  #look(name: string, failure: SublaceError | undefined): void {
    if (!this.#ended.signal.aborted) this.#health.look(name, failure);
  }

  /** Versions that answer, by name. */
  #served(): Record<string, string[]> {
    const versions = this.#repository.names.sort().map((name) => [name, this.#repository.versionsOf(name)] as const);
    return Object.fromEntries(versions.filter(([, ready]) => ready.length > 0));
  }

  async #pause(delayMs: number): Promise<void> {
    if (!this.#ended.signal.aborted) await this.#health.pause(delayMs);
  }

  #whenEnded(): Promise<void> {
    return new Promise((resolve) => this.#ended.signal.addEventListener('abort', () => resolve(), { once: true }));
  }
}
