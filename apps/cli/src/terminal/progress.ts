import cliProgress from 'cli-progress';
import type { Writable } from 'node:stream';

/** How progress is shown: a bar on a terminal, plain lines off it, nothing with `--json`. */
export type ProgressMode = 'bar' | 'lines' | 'silent';

/** One thing that takes a while. */
export interface Progress {
  /**
   * Where it stands.
   *
   * @param done  Units done so far.
   * @param total  Units in all; may grow.
   * @param detail  What is going on, a few words.
   */
  update(done: number, total: number, detail?: string): void;
  /** Takes the bar away, or writes the last line. */
  end(detail?: string): void;
}

/** Least time between two plain lines. */
const LINE_INTERVAL_MS = 5000;

/**
 * Shows the progress of one thing.
 *
 * @param label  What it is, one or two words.
 * @param mode  See {@link ProgressMode}.
 * @param stream  Where it is shown: standard error, so that standard output holds results only.
 * @returns  The progress to update and end.
 */
export function startProgress(label: string, mode: ProgressMode, stream: Writable): Progress {
  if (mode === 'silent') return { update: () => undefined, end: () => undefined };
  return mode === 'bar' ? barProgress(label, stream) : lineProgress(label, stream);
}

function barProgress(label: string, stream: Writable): Progress {
  const bar = new cliProgress.SingleBar({
    stream,
    format: `${label.padEnd(12)} {bar} {percentage}%  {detail}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 24,
    // Terminal settings that a bar changes would stay so after Ctrl-C. Lines are cut to the terminal's width instead.
    hideCursor: false,
    linewrap: true,
    clearOnComplete: false,
    gracefulExit: false,
    fps: 10,
  });
  let started = false;
  return {
    update(done, total, detail = '') {
      if (!started) bar.start(total, done, { detail });
      started = true;
      bar.setTotal(total);
      bar.update(done, { detail });
    },
    end(detail) {
      if (!started) return;
      if (detail !== undefined) bar.update({ detail });
      bar.stop();
    },
  };
}

function lineProgress(label: string, stream: Writable): Progress {
  let lastAtMs = Number.NEGATIVE_INFINITY;
  let last = '';
  const write = (line: string): void => {
    if (line === last) return;
    last = line;
    stream.write(`${line}\n`);
  };
  return {
    update(done, total, detail = '') {
      const now = performance.now();
      if (done < total && now - lastAtMs < LINE_INTERVAL_MS) return;
      lastAtMs = now;
      const percent = total > 0 ? Math.floor((100 * done) / total) : 0;
      write(`${label}: ${percent}%${detail ? `  ${detail}` : ''}`);
    },
    end(detail) {
      if (detail !== undefined) write(`${label}: ${detail}`);
    },
  };
}
