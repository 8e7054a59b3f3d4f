/** Parts of Sublace that are processes of their own. */
export type Role = 'coordinator' | 'reducer' | 'worker' | 'serving';

/**
 * Most that half of a heap's young generation takes, MiB. V8's own limit is 64, for each thread, and a busy server reaches it in steps of up to 64 MiB minutes or hours after its
 * start, though what lives there is little: a request is gone before the next collection. Collections come four times as often and cost as little as what survives them.
 */
const YOUNG_MIB = 16;

/**
 * What Node is told when it starts a role: options of V8 that a running process cannot change.
 *
 * @param role  Which part.
 * @returns  Arguments of `node`, before the main module.
 */
export function nodeOptionsOf(role: Role): readonly string[] {
  return role === 'serving' ? [`--max-semi-space-size=${YOUNG_MIB}`] : [];
}
