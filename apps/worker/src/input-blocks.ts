import type { Block } from '@sublace/partials';
import { createBlocksClient, type BlocksClient, type ClaimedTask, type ConnectOptions } from '@sublace/protocol';

/**
 * Whether an input is kept because every shard of a pass needs it again.
 *
 * @param name  Its name.
 * @returns  True for the indices of the subnetwork.
 */
export function isKept(name: string): boolean {
  return name.startsWith('indices/');
}

/** Brings the inputs of tasks from the coordinator and the reducers, and keeps those that the next task of the job needs too. */
export class InputBlocks {
  readonly #coordinator: string;
  readonly #connection: ConnectOptions;
  readonly #clients = new Map<string, BlocksClient>();
  #cache: { jobId: string; blocks: Map<string, Block> } = { jobId: '', blocks: new Map() };

  /**
   * @param coordinator  Address of the coordinator.
   * @param connection  How to connect.
   */
  constructor(coordinator: string, connection: ConnectOptions) {
    this.#coordinator = coordinator;
    this.#connection = connection;
  }

  /**
   * The inputs of a task.
   *
   * @param task  The task.
   * @param signal  Gives up.
   * @param isWanted  Which processes' blocks to bring, by their address, undefined for the coordinator; default: those of all.
   * @returns  Its blocks, in the order of their names in the task.
   */
  async fetch(
    { lease, inputs: all }: ClaimedTask,
    signal: AbortSignal,
    isWanted: (address: string | undefined) => boolean = () => true,
  ): Promise<Block[]> {
    const inputs = all.filter(({ address }) => isWanted(address));
    if (this.#cache.jobId !== lease.jobId) this.#cache = { jobId: lease.jobId, blocks: new Map() };
    const blocks = new Map(this.#cache.blocks);
    const pull = async ({ address, names }: ClaimedTask['inputs'][number]): Promise<void> => {
      const missing = names.filter((name) => !blocks.has(name));
      for await (const block of this.#client(address).pullBlocks(lease, missing, { signal })) {
        blocks.set(block.name, block);
        if (isKept(block.name)) this.#cache.blocks.set(block.name, block);
      }
    };
    await Promise.all(inputs.map(pull));
    return inputs.flatMap(({ names }) => names.map((name) => blocks.get(name)!));
  }

  /** Closes every connection. */
  close(): void {
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
  }

  #client(address = this.#coordinator): BlocksClient {
    const client = this.#clients.get(address) ?? createBlocksClient(address, this.#connection);
    this.#clients.set(address, client);
    return client;
  }
}
