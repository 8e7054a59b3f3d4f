import { startProgress, type Progress, type ProgressMode } from './progress.ts';

/** What a command says, and to whom: results to standard output, everything else to standard error. */
export interface Terminal {
  /** Whether the reader is a machine (`--json`). */
  readonly json: boolean;
  /** The command's result: an object for machines, text for people. The text is made only when it is wanted. */
  readonly result: (value: unknown, text: () => string) => void;
  /** One line on how things go; silent with `--json`. */
  readonly note: (line: string) => void;
  /** Progress of one thing that takes a while. */
  readonly progress: (label: string) => Progress;
}

/**
 * The terminal of this process.
 *
 * @param json  Whether `--json` was given.
 * @returns  The terminal.
 */
export function createTerminal(json: boolean): Terminal {
  const mode: ProgressMode = json ? 'silent' : process.stderr.isTTY ? 'bar' : 'lines';
  return {
    json,
    result(value, text) {
      process.stdout.write(`${json ? JSON.stringify(value) : text()}\n`);
    },
    note(line) {
      if (!json) process.stderr.write(`${line}\n`);
    },
    progress: (label) => startProgress(label, mode, process.stderr),
  };
}
