import { expect, it } from 'vitest';
import { settle } from '../../test/scripted-version.ts';
import { MemoryBudget } from './memory-budget.ts';

const nothing = (): boolean => false;

/** Whether a promise has been settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(
    () => (settled = true),
    () => (settled = true),
  );
  await settle();
  return settled;
}

it('refuses what has no room, with sizes and what to do', async () => {
  const budget = new MemoryBudget(10e6);
  const a = await budget.take('a version 1', 6e6, nothing);
  await expect(budget.take('b version 1', 5e6, nothing)).rejects.toMatchObject({
    code: 'RESOURCE_EXHAUSTED',
    message:
      'b version 1: expected room for 5.0 MB within the memory limit of 10.0 MB, got a version 1 6.0 MB there already; raise the limit or unload another model',
  });
  expect(budget.usedBytes).toBe(6e6);
  budget.giveBack(a);
  expect((await budget.take('b version 1', 5e6, nothing)).bytes).toBe(5e6);
});

it('waits for room that is leaving, and refuses when it stays after all', async () => {
  const budget = new MemoryBudget(10);
  const a = await budget.take('a', 8, nothing);
  budget.setLeaving(a, true);
  const [b, c] = [budget.take('b', 4, nothing), budget.take('c', 4, nothing)];
  expect(await isSettled(b)).toBe(false);
  budget.giveBack(a);
  expect([(await b).bytes, (await c).bytes]).toEqual([4, 4]);
  budget.setLeaving(await b, true);
  const d = budget.take('d', 6, nothing);
  expect(await isSettled(d)).toBe(false);
  budget.setLeaving(await b, false);
  await expect(d).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
});

it('asks for room to be made until there is enough or nothing can go', async () => {
  const budget = new MemoryBudget(10);
  const rooms = [await budget.take('a', 4, nothing), await budget.take('b', 4, nothing)];
  const makeRoom = (): boolean => {
    const room = rooms.shift();
    if (room) budget.giveBack(room);
    return room !== undefined;
  };
  expect((await budget.take('c', 9, makeRoom)).bytes).toBe(9);
  await expect(budget.take('d', 9, makeRoom)).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
});

it('lets room grow and shrink, and who leaves never waits behind who waits for that', async () => {
  const budget = new MemoryBudget(10);
  const a = await budget.take('a', 4, nothing);
  await budget.resize(a, 6, nothing);
  await expect(budget.resize(a, 11, nothing)).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  expect(a.bytes).toBe(6);
  await budget.resize(a, 5, nothing);
  const leaving = await budget.take('leaving', 5, nothing);
  budget.setLeaving(leaving, true);
  const waiting = budget.take('waiting', 5, nothing);
  const growing = budget.resize(leaving, 6, nothing);
  expect(await isSettled(growing)).toBe(true);
  expect(await isSettled(waiting)).toBe(false);
  budget.giveBack(leaving);
  expect((await waiting).bytes).toBe(5);
});
