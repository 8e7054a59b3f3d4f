import type { Measurement } from './measurement.ts';
import type { ProblemName } from './problems/problems.ts';

/** What a case is given. */
export interface Bench {
  /** Small sizes and few repetitions: does it run at all? */
  readonly isQuick: boolean;
  /** Which of the processes side by side this is. */
  readonly process: { readonly index: number; readonly count: number };
  /**
   * Times some work, again and again.
   *
   * @param work  One repetition, the same every time.
   * @returns  Seconds of each repetition; the first, which warms up, is left out.
   */
  readonly time: (work: () => unknown) => Promise<number[]>;
  /**
   * Records that a check did not pass.
   *
   * @param reason  One line: expected, got.
   */
  readonly fail: (reason: string) => void;
}

/** A question that is asked of the code, for one or more problems. */
export interface Part {
  readonly title: string;
  /** Processes side by side, and threads of one operation in each. */
  readonly processes: number;
  readonly threads: number;
  /** What must be there before. */
  readonly problems: readonly ProblemName[];
  /** Each runs in processes of its own, so that memory is its own too. */
  readonly cases: Readonly<Record<string, (bench: Bench) => Promise<Measurement[]>>>;
}

/** Repetitions at the least, and seconds after which there are enough of them. */
interface Effort {
  readonly repetitions: number;
  readonly seconds: number;
}

/** Slow work is repeated three times at the least, quick work for two seconds. */
const EFFORTS: readonly Effort[] = [
  { repetitions: 3, seconds: 20 },
  { repetitions: 7, seconds: 2 },
  { repetitions: 50, seconds: 0 },
];
const QUICK: readonly Effort[] = [{ repetitions: 2, seconds: 0 }];

/**
 * Whether there are enough repetitions.
 *
 * @param seconds  Of those that there are.
 * @param isQuick  Whether few will do.
 * @returns  True when there are enough.
 */
export function isEnough(seconds: readonly number[], isQuick: boolean): boolean {
  const total = seconds.reduce((sum, each) => sum + each, 0);
  return (isQuick ? QUICK : EFFORTS).some((effort) => seconds.length >= effort.repetitions && total >= effort.seconds);
}

/**
 * Times work until there are enough repetitions. Processes side by side start every repetition together, and stop together.
 *
 * @param work  One repetition.
 * @param isQuick  Whether few will do.
 * @param meet  Waits for the other processes; the answer is whether any of them wants to go on.
 * @returns  Seconds of each repetition but the first.
 */
export async function timeRepetitions(
  work: () => unknown,
  isQuick: boolean,
  meet: (wantsMore: boolean) => Promise<boolean>,
): Promise<number[]> {
  await work();
  const seconds: number[] = [];
  while (await meet(!isEnough(seconds, isQuick))) {
    const start = performance.now();
    await work();
    seconds.push((performance.now() - start) / 1000);
  }
  return seconds;
}
