import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WithFile } from '@sublace/backend';

/** A file in a folder of its own, which is gone when it has been read. */
export const withTemporaryFile: WithFile = (name, bytes, read) => {
  const folder = mkdtempSync(join(tmpdir(), 'sublace-graph-'));
  try {
    writeFileSync(join(folder, name), bytes);
    return read(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
