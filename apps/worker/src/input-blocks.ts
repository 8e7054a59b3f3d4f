import type { Block } from '@sublace/partials';
import { createBlocksClient, type BlocksClient, type ClaimedTask } from '@sublace/protocol';

/**
 * Whether an input is kept because every shard of a pass needs it again.
 *
 * @param name  Its name.
 * @returns  True for the indices of the subnetwork.
 */
export function isKept(name: string): boolean {
  return name.startsWith('indices/');
}

/** Brings the inputs of tasks from the coordinator, and keeps those that the next task of the job needs too. */
export class InputBlocks {
  readonly #client: BlocksClient;
  #cache: { jobId: string; blocks: Map<string, Block> } = { jobId: '', blocks: new Map() };

  /**
   * @param coordinator  Address of the coordinator.
   * @param token  Shared token, if there is one.
   */
  constructor(coordinator: string, token: string | undefined) {
    this.#client = createBlocksClient(coordinator, { token });
  }

  /**
   * The inputs of a task.
   *
   * @param task  The task.
   * @param signal  Gives up.
   * @returns  Its blocks, in the order of their names in the task.
   */
  async fetch({ lease, inputNames }: ClaimedTask, signal: AbortSignal): Promise<Block[]> {
    if (this.#cache.jobId !== lease.jobId) this.#cache = { jobId: lease.jobId, blocks: new Map() };
    const blocks = new Map(this.#cache.blocks);
    const missing = inputNames.filter((name) => !blocks.has(name));
    for await (const block of this.#client.pullBlocks(lease, missing, { signal })) {
      blocks.set(block.name, block);
      if (isKept(block.name)) this.#cache.blocks.set(block.name, block);
    }
    return inputNames.map((name) => blocks.get(name)!);
  }

  /** Closes the connection. */
  close(): void {
    this.#client.close();
  }
}
