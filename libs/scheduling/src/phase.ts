/** The five phases of a fit, in order. A phase starts when every shard of the one before is done. */
export const PHASES = ['plan', 'score', 'select', 'accumulate', 'finalise'] as const;

/** One of the {@link PHASES}. */
export type Phase = (typeof PHASES)[number];

/** Any JSON value. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;

/** Any JSON object. */
export interface JsonObject {
  [key: string]: JsonValue;
}

/** What a task reports beside its blocks: JSON, small, kept with the job. */
export type TaskSummary = JsonObject;

/**
 * True for one of the {@link PHASES}; for names that arrive from outside.
 *
 * @param name  Any string.
 * @returns  Whether it names a phase.
 */
export function isPhase(name: string): name is Phase {
  return (PHASES as readonly string[]).includes(name);
}

/**
 * The phase that follows.
 *
 * @param phase  A phase.
 * @returns  The next one, or undefined after the last.
 */
export function phaseAfter(phase: Phase): Phase | undefined {
  return PHASES[PHASES.indexOf(phase) + 1];
}
