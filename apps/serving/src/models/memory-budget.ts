import { SublaceError } from '@sublace/errors';

/** Room for one version, from before it is loaded until it has been freed. */
export interface Room {
  readonly bytes: number;
  /** Whether it will be free soon: others may wait for it. */
  readonly isLeaving: boolean;
}

type MutableRoom = { -readonly [K in keyof Room]: Room[K] };

/** Who waits for room that is being freed. */
interface Waiter {
  room: MutableRoom;
  what: string;
  bytes: number;
  resolve: () => void;
  reject: (error: SublaceError) => void;
}

/** Memory that models may take together. Room that is being freed is waited for; room that nobody frees is refused. */
export class MemoryBudget {
  readonly #limitBytes: number;
  readonly #rooms = new Map<MutableRoom, string>();
  readonly #waiters: Waiter[] = [];

  /**
   * @param limitBytes  Infinity for no limit.
   */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** What is taken now. */
  get usedBytes(): number {
    return sum([...this.#rooms.keys()]);
  }

  /**
   * Takes room.
   *
   * @param what  Whose, for messages.
   * @param bytes  How much.
   * @param makeRoom  Called when there is none: marks what can go as leaving, and says whether there was something.
   * @returns  The room, for the caller to give back.
   * @throws SublaceError RESOURCE_EXHAUSTED when there is none and none is being freed.
   */
  async take(what: string, bytes: number, makeRoom: () => boolean): Promise<Room> {
    const room: MutableRoom = { bytes: 0, isLeaving: false };
    this.#rooms.set(room, what);
    try {
      await this.resize(room, bytes, makeRoom);
      return room;
    } catch (error) {
      this.giveBack(room);
      throw error;
    }
  }

  /**
   * Makes room larger or smaller; see `take`.
   *
   * @param room  Which.
   * @param bytes  What it is to be.
   * @param makeRoom  See `take`.
   * @throws SublaceError RESOURCE_EXHAUSTED; the room is then what it was.
   */
  async resize(room: Room, bytes: number, makeRoom: () => boolean): Promise<void> {
    if (bytes <= room.bytes) {
      (room as MutableRoom).bytes = bytes;
      this.#serveWaiters();
      return;
    }
    const what = this.#rooms.get(room) ?? '';
    while (!this.#fits(room, bytes, 'now') && !this.#fits(room, bytes, 'soon')) {
      if (!makeRoom()) throw this.#refusal(what, bytes, room);
    }
    await new Promise<void>((resolve, reject) => {
      this.#waiters.push({ room, what, bytes, resolve, reject });
      this.#serveWaiters();
    });
  }

  /**
   * Room that is free again.
   *
   * @param room  Which; twice is once.
   */
  giveBack(room: Room): void {
    this.#rooms.delete(room);
    this.#serveWaiters();
  }

  /**
   * Tells whether room will be free soon.
   *
   * @param room  Which.
   * @param isLeaving  See `Room`.
   */
  setLeaving(room: Room, isLeaving: boolean): void {
    (room as MutableRoom).isLeaving = isLeaving;
    this.#serveWaiters();
  }

  /** First come, first served: a large one is not overtaken for ever by small ones. Only who is leaving does not wait: others may wait for that. */
  #serveWaiters(): void {
    for (const waiter of this.#waiters.filter(({ room }) => room.isLeaving)) {
      this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
      waiter.resolve();
    }
    for (let waiter = this.#waiters[0]; this.#waiters.length > 0; waiter = this.#waiters[0]) {
      const { room, bytes } = waiter;
      if (this.#fits(room, bytes, 'now')) {
        this.#waiters.shift();
        waiter.room.bytes = bytes;
        waiter.resolve();
      } else if (this.#fits(room, bytes, 'soon')) return;
      else {
        this.#waiters.shift();
        waiter.reject(this.#refusal(waiter.what, bytes, room));
      }
    }
  }

  /** Whether room may have a size: `soon` once everything that is leaving has gone. */
  #fits(room: Room, bytes: number, when: 'now' | 'soon'): boolean {
    const others = [...this.#rooms.keys()].filter((each) => each !== room && (when === 'now' || !each.isLeaving));
    return sum(others) + bytes <= this.#limitBytes;
  }

  #refusal(what: string, bytes: number, own: Room): SublaceError {
    const taken = [...this.#rooms].filter(([room]) => room !== own && room.bytes > 0).map(([room, name]) => `${name} ${inMb(room.bytes)}`);
    return new SublaceError(
      'RESOURCE_EXHAUSTED',
      `${what}: expected room for ${inMb(bytes)} within the memory limit of ${inMb(this.#limitBytes)}, got ${taken.join(', ') || 'none'}` +
        `${taken.length > 0 ? ' there already' : ''}; raise the limit or unload another model`,
    );
  }
}

const sum = (rooms: readonly Room[]): number => rooms.reduce((total, { bytes }) => total + bytes, 0);
const inMb = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
