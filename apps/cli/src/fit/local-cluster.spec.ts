import { createCoordinatorClient } from '@sublace/protocol';
import { describe, expect, it, vi } from 'vitest';
import { startLocalCluster } from './local-cluster.ts';

/** Others may keep the machine busy for a long time; the wait ends as soon as it can. */
const patience = { timeout: 60_000 };

/** Child processes of this one, those included that nobody has been told of yet. */
function childCount(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'ProcessWrap').length;
}

describe('startLocalCluster', () => {
  it('answers those only who bring its token, and leaves no worker behind that was still starting', { timeout: 120_000 }, async () => {
    let noted: (line: string) => void = () => undefined;
    const note = new Promise<string>((resolve) => {
      noted = resolve;
    });
    const cluster = await startLocalCluster({ workerCount: 1, reducerCount: 1, threads: 1, onNote: noted });
    try {
      const stranger = createCoordinatorClient(cluster.address);
      await expect(stranger.listJobs()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
      stranger.close();
      const client = createCoordinatorClient(cluster.address, { token: cluster.token });
      expect(await client.listJobs()).toEqual([]);
      client.close();

      process.kill(cluster.workerPids[0], 'SIGKILL');
      expect(await note).toBe('worker 1 ended (SIGKILL); starting another');
      await vi.waitFor(() => expect(childCount()).toBe(3), patience);
    } finally {
      await cluster.stop();
    }
    await vi.waitFor(() => expect(childCount()).toBe(0), patience);
  });
});
