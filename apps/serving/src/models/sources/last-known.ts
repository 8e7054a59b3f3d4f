import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Pointers, RegisteredVersion } from '@sublace/artifact-store';

/** Labels of a name, and the versions that they stand for. */
export interface KnownLabels extends Pointers {
  readonly versions: readonly RegisteredVersion[];
}

/**
 * What a registry said last, in a file: a server that starts while the registry cannot be reached goes on with that. The file is written whole or not at all;
 * one that is damaged, or of another registry, is as good as none.
 */
export class LastKnown {
  readonly #path: string;
  /** Not the address itself: it may hold a password. */
  readonly #registry: string;
  readonly #models: Map<string, KnownLabels>;
  #writing: Promise<void> = Promise.resolve();

  /**
   * @param path  The file; its folder is made.
   * @param registryUri  Of the registry.
   */
  constructor(path: string, registryUri: string) {
    this.#path = path;
    this.#registry = createHash('sha256').update(registryUri).digest('hex');
    mkdirSync(dirname(path), { recursive: true });
    this.#models = new Map(Object.entries(this.#read()));
  }

  /** Names that it knows. */
  get names(): string[] {
    return [...this.#models.keys()];
  }

  /**
   * What was said of a name.
   *
   * @param name  Model name.
   * @returns  Undefined when nothing was.
   */
  get(name: string): KnownLabels | undefined {
    return this.#models.get(name);
  }

  /**
   * Keeps what is said now.
   *
   * @param name  Model name.
   * @param labels  Its labels and their versions.
   */
  async set(name: string, labels: KnownLabels): Promise<void> {
    this.#models.set(name, labels);
    this.#writing = this.#writing.then(() => this.#write());
    await this.#writing;
  }

  #read(): Record<string, KnownLabels> {
    try {
      const { registry, models } = JSON.parse(readFileSync(this.#path, 'utf8')) as {
        registry: string;
        models: Record<string, KnownLabels>;
      };
      const isWhole = registry === this.#registry && Object.values(models).every((each) => Array.isArray(each.versions));
      return isWhole ? models : {};
    } catch {
      return {};
    }
  }

  /** A disk that is full must not end the watch: the file is a help, not the truth. */
  async #write(): Promise<void> {
    const text = JSON.stringify({ registry: this.#registry, models: Object.fromEntries(this.#models) }, null, 2);
    try {
      await writeFile(`${this.#path}.tmp`, `${text}\n`);
      await rename(`${this.#path}.tmp`, this.#path);
    } catch {
      // Said nowhere: the next change writes it again.
    }
  }
}
