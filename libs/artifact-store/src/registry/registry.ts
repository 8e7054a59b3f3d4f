import type { SublaceError } from '@sublace/errors';
import type { JsonObject } from './json.ts';

/** Is told after a look of a watch: undefined when the registry could be read, else why it could not, which the next look may mend. */
export type OnLook = (failure: SublaceError | undefined) => void;

/** More about a watch. */
export interface WatchOptions {
  /** Is told after every look whether the registry could be read: undefined, or why not. */
  readonly onLook?: OnLook | undefined;
  /** A revision that the caller knows there was: a registry that has none at all has lost it, and cannot be read. Default: 0. */
  readonly since?: number | undefined;
}

/** What is said of an artifact when it is registered. */
export interface VersionInput {
  /** Where it is: an absolute path or `s3://BUCKET/PATH`. */
  uri: string;
  /** sha256 that its manifest names: 64 lower-case hexadecimal digits. */
  digest: string;
  /** What helps to choose between versions: sizes, scores, where it was fitted. */
  facts?: JsonObject;
}

/** One version; it never changes. */
export interface RegisteredVersion extends Required<VersionInput> {
  /** 1 for the first of a name, then one more each. */
  version: number;
  /** When it was registered, by the clock of who did it: ISO 8601. */
  registeredAt: string;
}

/** Which version each label of a name stands for. */
export interface Pointers {
  labels: Readonly<Record<string, number>>;
  /** Share of the traffic that a label is to have, 0 to 1; only of labels that were given one. */
  shares?: Readonly<Record<string, number>>;
  /** Grows with every change; 0 before the first. */
  revision: number;
}

/** More about a change of a label. */
export interface SetPointerOptions {
  /** What the label must stand for, for the change to happen: a version; null when it must not exist. Without it the change always happens. */
  expected?: number | null;
  /** Share of the traffic that the label is to have, 0 to 1. Without it a label keeps the share that it has, until it is removed. */
  share?: number;
}

/**
 * Versions of artifacts under names, and labels such as `stable` that stand for one of them. A version, once given, is never given again and never
 * changes; a label changes from one version to another in one step, which every reader sees as before or as after.
 *
 * Every method throws SublaceError INVALID_ARGUMENT for names and labels that are none; UNAVAILABLE, DEADLINE_EXCEEDED or UNAUTHENTICATED when the
 * registry cannot be used.
 */
export interface Registry {
  /**
   * Gives an artifact the next version number of a name. The same digest again gives the version that it has, whatever else is said of it: so a caller
   * that got no answer simply asks again.
   */
  register(name: string, input: VersionInput): Promise<RegisteredVersion>;
  /** Every name that has a version, in order. */
  names(): Promise<string[]>;
  /** Every version of a name, in order; none for an unknown name. */
  list(name: string): Promise<RegisteredVersion[]>;
  /**
   * One version.
   *
   * @throws SublaceError NOT_FOUND when there is none.
   */
  get(name: string, version: number): Promise<RegisteredVersion>;
  /** The labels of a name; none for an unknown name. */
  pointers(name: string): Promise<Pointers>;
  /**
   * Lets a label stand for a version, or for none.
   *
   * @param name  Of the artifact.
   * @param label  Such as `stable`.
   * @param version  One that there is; null removes the label.
   * @param options  What the label must stand for now; its share, which changes in the same step.
   * @returns  The labels afterwards.
   * @throws SublaceError NOT_FOUND when there is no such version, CONFLICT when the label stands for something else than expected.
   */
  setPointer(name: string, label: string, version: number | null, options?: SetPointerOptions): Promise<Pointers>;
  /**
   * The version that a label stands for.
   *
   * @throws SublaceError NOT_FOUND when it stands for none.
   */
  resolve(name: string, label: string): Promise<RegisteredVersion>;
  /**
   * The labels of a name as they are, and again after every change; of several quick changes only the last may be told. A registry that cannot be
   * reached for a while is simply asked again.
   *
   * @param name  Of the artifact; it need not exist yet.
   * @param signal  Ends the watch.
   * @param options  Who is told of looks, what is known.
   */
  watch(name: string, signal: AbortSignal, options?: WatchOptions): AsyncIterable<Pointers>;
  /** Ends its connections, and every watch. */
  close(): Promise<void>;
}
