import { SublaceError } from '@sublace/errors';
import { ModelVersion, type VersionLease, type VersionSurroundings } from './model-version.ts';
import { TrafficShare } from './traffic-share.ts';
import { CANARY, STABLE, type WantedModel, type WantedVersion } from './wanted-model.ts';

/** Versions that have gone and are still told of. */
const HISTORY_MAX = 4;

/** What is decided once for all models. */
export interface VersionPolicy {
  /** Keeps the version that was stable before loaded, as long as nobody needs its memory. */
  readonly keepPrevious: boolean;
  /** Of the canary, where its source says nothing. */
  readonly canaryShare: number;
}

/**
 * The versions of one name, brought step by step to what is wanted: every step looks at what there is and at what is wanted last, so the order in which
 * loads end does not matter.
 */
export class VersionedModel {
  readonly name: string;
  readonly #policy: VersionPolicy;
  readonly #surroundings: VersionSurroundings;
  readonly #canaryShare = new TrafficShare();
  #wanted: WantedModel | undefined;
  /** Asked for by number. */
  readonly #extra = new Map<string, WantedVersion>();
  #isUnloaded = false;
  /** One for each number, the latest; those before it that are still being freed are in `#gone`. */
  readonly #versions = new Map<string, ModelVersion>();
  #gone: ModelVersion[] = [];
  /** Who answers, replaced as a whole: a request sees all labels as before or as after. */
  #labels: ReadonlyMap<string, ModelVersion> = new Map();
  #previous: ModelVersion | undefined;
  #isReconciling = false;
  #isDirty = false;

  /**
   * @param name  That requests use.
   * @param policy  What is decided once.
   * @param surroundings  What all versions share.
   */
  constructor(name: string, policy: VersionPolicy, surroundings: VersionSurroundings) {
    this.name = name;
    this.#policy = policy;
    this.#surroundings = surroundings;
  }

  /** Whether it is to be served: a server that is strict is not ready without it. */
  get isWanted(): boolean {
    return this.#wanted !== undefined && !this.#isUnloaded;
  }

  /** Whether somebody has asked for it to be unloaded. */
  get isUnloaded(): boolean {
    return this.#isUnloaded;
  }

  /** Whether requests that name no version are answered. */
  get isReady(): boolean {
    return this.#labels.has(STABLE);
  }

  /** Its versions, in the order of their numbers, with those that have gone last. */
  get versions(): ModelVersion[] {
    const byNumber = [...this.#versions.values()].sort((a, b) => a.version.localeCompare(b.version, 'en', { numeric: true }));
    return [...byNumber, ...this.#gone];
  }

  /** Labels, with the version that answers for each now. */
  get labels(): ReadonlyMap<string, ModelVersion> {
    return this.#labels;
  }

  /** Share of the requests without a version that a version answers, 0 to 1. */
  shareOf(version: ModelVersion): number {
    const [stable, canary] = [this.#labels.get(STABLE), this.#labels.get(CANARY)];
    const share = canary && stable ? this.#canaryShare.value : 0;
    return (version === stable ? 1 - share : 0) + (version === canary ? share : 0);
  }

  /** What it is to be from now on; undefined: nothing. What failed before is tried again. */
  want(wanted: WantedModel | undefined): void {
    this.#wanted = wanted;
    this.#canaryShare.set(wanted?.canaryShare ?? this.#policy.canaryShare);
    this.reconcile();
    this.retryFailed();
  }

  /** Takes it out of service, whatever its source wants, until `load`. */
  unload(): void {
    this.#isUnloaded = true;
    this.#extra.clear();
    this.reconcile();
  }

  /**
   * Takes it back into service, and tries again what failed.
   *
   * @param extra  A version to have beside those that its source wants.
   */
  load(extra?: WantedVersion): void {
    this.#isUnloaded = false;
    if (extra) this.#extra.set(extra.version, extra);
    this.reconcile();
    this.retryFailed();
  }

  /**
   * A version by its number, from its source.
   *
   * @param version  Number.
   * @returns  For `load`; undefined for one that is wanted already.
   * @throws SublaceError NOT_FOUND when there is none.
   */
  async find(version: string): Promise<WantedVersion | undefined> {
    if (this.#wanted?.versions.some((each) => each.version === version)) return undefined;
    if (this.#wanted?.find) return this.#wanted.find(version);
    throw new SublaceError('NOT_FOUND', `model '${this.name}': expected a version that its source has, got '${version}'`);
  }

  /** Tries again what failed; `code`: only what failed with it. */
  retryFailed(code?: SublaceError['code']): void {
    for (const version of this.#versions.values()) if (code === undefined || version.failure?.code === code) version.retry();
  }

  /** Lets the previous version go; false when none is kept. */
  dropPrevious(): boolean {
    if (!this.#previous) return false;
    this.#previous = undefined;
    this.reconcile();
    return true;
  }

  /** Lets those go that answer and are not wanted any more; false when there are none. Nobody answers for them meanwhile. */
  dropReplaced(): boolean {
    const wanted = this.#wantedVersions();
    const kept = [...this.#labels].filter(([, { version }]) => wanted.has(version));
    if (kept.length === this.#labels.size) return false;
    this.#labels = new Map(kept);
    this.reconcile();
    return true;
  }

  /**
   * The version that answers a request.
   *
   * @param version  A number, a label, or empty: stable, or the canary for its share of such requests.
   * @returns  Undefined when there is none that is ready.
   */
  lease(version: string): VersionLease | null {
    if (version === '') {
      const isCanary = this.#labels.has(CANARY) && this.#labels.has(STABLE) && this.#canaryShare.take();
      return (isCanary ? this.#labels.get(CANARY)?.lease() : null) ?? this.#labels.get(STABLE)?.lease() ?? null;
    }
    return this.ready(version)?.lease() ?? null;
  }

  /**
   * A version that is ready.
   *
   * @param version  A number, a label, or empty for stable.
   * @returns  Undefined when there is none.
   */
  ready(version: string): ModelVersion | undefined {
    const numbered = this.#versions.get(version);
    return numbered?.state === 'ready' ? numbered : this.#labels.get(version || STABLE);
  }

  /**
   * The version that is to answer, ready or not: for saying why it does not.
   *
   * @param version  A number, a label, or empty for stable.
   * @returns  Undefined when nobody wants one.
   */
  expected(version: string): ModelVersion | undefined {
    return this.#versions.get(version) ?? this.#versions.get(this.#wanted?.labels[version || STABLE] ?? '');
  }

  /** Ends its tries. */
  close(): void {
    for (const version of this.#versions.values()) version.close();
  }

  /** Takes every step that can be taken now; called after every change. A step may cause changes: then it looks again, it never nests. */
  reconcile(): void {
    this.#isDirty = true;
    if (this.#isReconciling) return;
    this.#isReconciling = true;
    while (this.#isDirty) {
      this.#isDirty = false;
      this.#step();
    }
    this.#isReconciling = false;
  }

  #step(): void {
    const wanted = this.#wantedVersions();
    for (const source of wanted.values()) this.#bringUp(source);
    this.#moveLabels();
    const needed = new Set([
      ...wanted.keys(),
      ...[...this.#labels.values(), ...(this.#previous ? [this.#previous] : [])].map(({ version }) => version),
    ]);
    for (const version of this.#versions.values()) if (!needed.has(version.version)) version.want(false);
    this.#forget();
  }

  #wantedVersions(): Map<string, WantedVersion> {
    if (this.#isUnloaded) return new Map();
    return new Map([...(this.#wanted?.versions ?? []), ...this.#extra.values()].map((source) => [source.version, source]));
  }

  #bringUp(source: WantedVersion): void {
    const current = this.#versions.get(source.version);
    if (current && !current.isGone) {
      current.want(true);
      return;
    }
    if (current) this.#gone.push(current);
    // It tells of its first state before it is known here.
    this.#versions.set(source.version, new ModelVersion(this.name, source, this.#surroundings));
  }

  /** Every label goes where it is wanted as soon as that is ready, and stays where it is until then. */
  #moveLabels(): void {
    const before = this.#labels;
    const labels = new Map<string, ModelVersion>();
    for (const [label, number] of Object.entries(this.#isUnloaded ? {} : (this.#wanted?.labels ?? {}))) {
      const version = this.#versions.get(number);
      const answering = version?.state === 'ready' ? version : before.get(label);
      if (answering) labels.set(label, answering);
    }
    this.#labels = labels;
    const [old, now] = [before.get(STABLE), labels.get(STABLE)];
    if (this.#policy.keepPrevious && old && now && old !== now) this.#previous = old;
    if (!now) this.#previous = undefined;
  }

  #forget(): void {
    for (const [number, version] of this.#versions) {
      if (!version.isGone) continue;
      this.#versions.delete(number);
      this.#gone.push(version);
    }
    const isHistory = (version: ModelVersion): boolean => version.state === 'unloaded';
    const surplus = this.#gone.filter(isHistory).slice(0, -HISTORY_MAX);
    this.#gone = this.#gone.filter((version) => !surplus.includes(version));
  }
}
