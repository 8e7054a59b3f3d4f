import { ModelStatistics, type ModelStatisticsSnapshot } from './model-statistics.ts';
import type { EndedBatch, EndedRequest, ModelChange, ModelKey, ServingObserver } from './observer.ts';

/** Everything that was counted since the start, as plain JSON. */
export interface StatisticsSnapshot {
  /** When it was taken, and when the server started; milliseconds since 1970. */
  readonly atMs: number;
  readonly startedAtMs: number;
  /** Every version that was told of, in the order in which they came; of those that are gone, the last few. */
  readonly models: readonly ModelStatisticsSnapshot[];
  /** Requests that no version was found for, by code: unknown names and versions, a server that drains. */
  readonly unknown: Readonly<Record<string, number>>;
  /** How often versions of a model changed, those that are long gone too. */
  readonly changes: readonly { readonly name: string; readonly change: ModelChange; readonly count: number }[];
}

/** Versions that are gone are kept for the latest answers and for the charts, but not for ever: a server may swap every hour for a year. */
const goneVersionsMax = 16;

/** Counts all that happens to the models. The one account: metrics, the statistics calls and the page are views of it. */
export class Statistics implements ServingObserver {
  readonly #models = new Map<string, ModelStatistics>();
  readonly #unknown = new Map<string, number>();
  readonly #changes = new Map<string, { name: string; change: ModelChange; count: number }>();
  readonly #now: () => number;
  readonly #startedAtMs: number;

  /**
   * @param now  Milliseconds since 1970.
   */
  constructor(now: () => number = Date.now) {
    this.#now = now;
    this.#startedAtMs = now();
  }

  pending(key: ModelKey, change: 1 | -1): void {
    this.#models.get(keyOf(key))?.pending(change);
  }

  requestEnded(request: EndedRequest): void {
    // Names come from anybody: only those that the server itself has told of get a series of their own.
    const model = this.#models.get(keyOf(request));
    if (model) model.requestEnded(this.#now(), request);
    else this.#unknown.set(request.code, (this.#unknown.get(request.code) ?? 0) + 1);
  }

  batchEnded(batch: EndedBatch): void {
    this.#models.get(keyOf(batch))?.batchEnded(this.#now(), batch);
  }

  modelChanged(key: ModelKey, change: ModelChange, reason?: string): void {
    const known = this.#models.get(keyOf(key));
    const model = known ?? new ModelStatistics(key);
    if (!known) this.#models.set(keyOf(key), model);
    model.changed(this.#now(), change, reason);
    const counted = this.#changes.get(`${key.name}/${change}`) ?? { name: key.name, change, count: 0 };
    counted.count += 1;
    this.#changes.set(`${key.name}/${change}`, counted);
    const gone = [...this.#models].filter(([, each]) => each.isGone);
    for (const [name] of gone.slice(0, -goneVersionsMax)) this.#models.delete(name);
  }

  /**
   * Everything counted so far.
   *
   * @returns  A copy: plain JSON.
   */
  snapshot(): StatisticsSnapshot {
    const atMs = this.#now();
    return {
      atMs,
      startedAtMs: this.#startedAtMs,
      models: [...this.#models.values()].map((model) => model.snapshot(atMs)),
      unknown: Object.fromEntries(this.#unknown),
      changes: [...this.#changes.values()].map((counted) => ({ ...counted })),
    };
  }
}

/** Names have no slash. */
function keyOf({ name, version }: ModelKey): string {
  return `${name}/${version}`;
}
