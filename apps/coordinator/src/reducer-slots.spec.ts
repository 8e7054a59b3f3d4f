import { afterEach, describe, expect, it, vi } from 'vitest';
import { implement, services, startServer, type ReducerSlot, type RunningServer } from '@sublace/protocol';
import { createLogger } from '@sublace/telemetry';
import { ReducerSlots, type SlotHolder } from './reducer-slots.ts';

const logger = createLogger({ role: 'coordinator', level: 'silent' });
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A reducer that does nothing but answer, or not. */
async function reducer(isAnswering: () => boolean = () => true): Promise<string> {
  const refuse = (): never => {
    throw new Error('not called here');
  };
  const service = implement(services.Reducer.service, {
    async ping() {
      if (!isAnswering()) await new Promise(() => undefined);
      return { heldBytes: 5, residentBytes: 7 };
    },
    openJob: refuse,
    reduceShard: refuse,
    writeCheckpoint: refuse,
    closeJob: refuse,
    factorise: refuse,
  });
  const server: RunningServer = await startServer({ services: [service] });
  closing.push(() => server.close(0));
  return `127.0.0.1:${server.port}`;
}

function openSlots(count: number, timeoutMs = 60_000, onHolder: (holder: SlotHolder) => void = () => undefined): ReducerSlots {
  const slots = new ReducerSlots({ count, security: {}, timeoutMs, logger, onHolder });
  closing.push(() => slots.stop());
  return slots;
}

/** Attends until `leave`; `slot` resolves when there is one. */
function attend(slots: ReducerSlots, reducerId: string, address: string, held?: ReducerSlot) {
  const abort = new AbortController();
  closing.push(() => abort.abort());
  let give: (slot: ReducerSlot) => void = () => undefined;
  const slot = new Promise<ReducerSlot>((resolve) => (give = resolve));
  const ended = (async () => {
    for await (const message of slots.attend({ reducerId, address, held, jobIds: [] }, abort.signal)) give(message.slot);
  })();
  const leave = async (): Promise<void> => {
    abort.abort();
    await ended;
  };
  return { slot, ended, leave };
}

describe('ReducerSlots', () => {
  it('gives each reducer a slot of its own, and the next one that becomes free to who waits', async () => {
    const address = await reducer();
    const slots = openSlots(2);
    const [a, b, c] = ['a', 'b', 'c'].map((id) => attend(slots, id, address));
    expect([(await a.slot).slot, (await b.slot).slot]).toEqual([0, 1]);
    expect((await a.slot).slotCount).toBe(2);
    expect(slots.holders.map(({ reducerId }) => reducerId)).toEqual(['a', 'b']);
    const before = await b.slot;
    await b.leave();
    expect((await c.slot).slot).toBe(1);
    expect((await c.slot).assignment, 'somebody else starts from the checkpoint').not.toBe(before.assignment);
  });

  it('gives who comes back the slot that it had, to go on with what it holds', async () => {
    const address = await reducer();
    const slots = openSlots(2);
    const [a, b] = ['a', 'b'].map((id) => attend(slots, id, address));
    const [first, second] = [await a.slot, await b.slot];
    await a.leave();
    await b.leave();
    expect(await attend(slots, 'b', address, second).slot).toEqual(second);
    expect(await attend(slots, 'a', address, first).slot).toEqual(first);
  });

  it('gives it another mark when somebody had its slot meanwhile', async () => {
    const address = await reducer();
    const slots = openSlots(1);
    const a = attend(slots, 'a', address);
    const held = await a.slot;
    await a.leave();
    const b = attend(slots, 'b', address);
    await b.slot;
    await b.leave();
    const again = await attend(slots, 'a', address, held).slot;
    expect(again.slot).toBe(0);
    expect(again.assignment).not.toBe(held.assignment);
  });

  it('takes the word of who had a slot under the coordinator before, unless there were other slots', async () => {
    const address = await reducer();
    const held = { slot: 1, slotCount: 2, assignment: 'of before' };
    expect(await attend(openSlots(2), 'a', address, held).slot).toEqual(held);
    const other = await attend(openSlots(3), 'a', address, held).slot;
    expect(other.slotCount).toBe(3);
    expect(other.assignment).not.toBe('of before');
  });

  it('lets a stream that is opened again take over from the one before', async () => {
    const address = await reducer();
    const slots = openSlots(1);
    const a = attend(slots, 'a', address);
    const held = await a.slot;
    const again = attend(slots, 'a', address, held);
    expect(await again.slot).toEqual(held);
    await a.ended;
    expect(slots.holders).toHaveLength(1);
  });

  it('takes the slot from a reducer that does not answer, and ends its stream', async () => {
    let isAnswering = true;
    const address = await reducer(() => isAnswering);
    const holders: SlotHolder[] = [];
    const slots = openSlots(1, 300, (holder) => holders.push(holder));
    const a = attend(slots, 'a', address);
    await a.slot;
    await vi.waitFor(() => expect(slots.holders[0].heldBytes).toBe(5), 30_000);
    isAnswering = false;
    await a.ended;
    expect(slots.holders).toEqual([]);
    expect(holders[0].lost.aborted).toBe(true);
    await expect(slots.holderOf(0, AbortSignal.timeout(50))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});
