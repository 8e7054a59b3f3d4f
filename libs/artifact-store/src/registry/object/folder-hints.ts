import { watch, type FSWatcher } from 'node:fs';

/**
 * Tells of changes in a folder, where the system can: on some file systems and beyond some limits it cannot, so nobody may rely on it. The folder need not
 * exist when this is made; it is looked for whenever `ensure` is called.
 */
export class FolderHints {
  readonly #path: string;
  readonly #hint: () => void;
  #watcher: FSWatcher | undefined;

  /**
   * @param path  The folder.
   * @param hint  Is called after a change, and perhaps without one.
   */
  constructor(path: string, hint: () => void) {
    this.#path = path;
    this.#hint = hint;
  }

  /** Begins, unless it has begun or cannot. */
  ensure(): void {
    if (this.#watcher) return;
    try {
      this.#watcher = watch(this.#path, { persistent: false }, () => this.#hint());
      // As when the folder is removed.
      this.#watcher.on('error', () => this.close());
    } catch {
      // No such folder yet, or no more watches to be had.
    }
  }

  /** Ends; `ensure` begins again. */
  close(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }
}
