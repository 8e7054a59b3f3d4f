import type { ProcessReport } from './measurement.ts';

/** What a process of a case tells the suite. */
export type FromCase =
  /** It has come to the start of a repetition and waits there. */
  { readonly kind: 'met'; readonly wantsMore: boolean } | { readonly kind: 'done'; readonly report: ProcessReport };

/** What the suite answers when all have met. */
export interface ToCase {
  readonly goOn: boolean;
}
