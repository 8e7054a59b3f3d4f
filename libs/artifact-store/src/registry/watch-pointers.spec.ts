import type { SublaceError } from '@sublace/errors';
import { describe, expect, it } from 'vitest';
import type { Pointers } from './registry.ts';
import { watchPointers } from './watch-pointers.ts';

describe('watchPointers', () => {
  it('takes a registry that has lost everything for one that cannot be read, until it has something again', async () => {
    const reads: Pointers[] = [
      { revision: 0, labels: {} },
      { revision: 4, labels: { stable: 1 } },
      { revision: 0, labels: {} },
      { revision: 2, labels: { stable: 2 } },
    ];
    const stop = new AbortController();
    const looks: (string | undefined)[] = [];
    const seen: number[] = [];
    const options = {
      what: "file:///registry, 'm'",
      read: () => Promise.resolve(reads.shift()!),
      pollMs: 1,
      signal: stop.signal,
      onLook: (error: SublaceError | undefined) => looks.push(error?.message),
    };
    for await (const { revision } of watchPointers(options)) {
      seen.push(revision);
      if (reads.length === 0) stop.abort();
    }
    expect(seen).toEqual([0, 4, 2]);
    expect(looks).toEqual([
      undefined,
      undefined,
      expect.stringMatching(/^file:\/\/\/registry, 'm': expected labels of revision 4 or later, got none at all/),
      undefined,
    ]);
  });

  it('takes a registry for lost, from its first look on, that has nothing where the caller knows of something', async () => {
    const reads: Pointers[] = [
      { revision: 0, labels: {} },
      { revision: 3, labels: { stable: 1 } },
    ];
    const stop = new AbortController();
    const looks: (string | undefined)[] = [];
    const seen: number[] = [];
    const onLook = (error: SublaceError | undefined): void => void looks.push(error?.code);
    for await (const { revision } of watchPointers({
      what: 'registry',
      read: () => Promise.resolve(reads.shift()!),
      pollMs: 1,
      signal: stop.signal,
      since: 3,
      onLook,
    })) {
      seen.push(revision);
      stop.abort();
    }
    expect([seen, looks]).toEqual([[3], ['UNAVAILABLE', undefined]]);
  });
});
