import { open } from 'node:fs/promises';

/**
 * Flushes a file, or a folder (its list of names), so that a crash of the machine cannot undo what was written.
 *
 * @param path  File or folder.
 */
export async function syncToDisk(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
