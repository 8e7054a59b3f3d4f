import { pino, type Logger } from 'pino';

export type { Logger } from 'pino';

/** How much a role says. `silent` says nothing. */
export type LogLevel = 'silent' | 'error' | 'warn' | 'info' | 'debug';

/** Options of a logger. */
export interface LoggerOptions {
  /** Name of the role: coordinator, worker, serving. */
  role: string;
  /** info when left out. */
  level?: LogLevel | undefined;
  /** Where lines go; standard error when left out, so that standard output stays free for results. */
  destination?: { write(line: string): void } | undefined;
}

/**
 * A logger that writes one JSON object per line: time in ISO 8601, level by name, role, process id, message, and the fields given.
 *
 * @param options  Role, level, destination.
 * @returns  A pino logger. Lines are written synchronously: the last one before a crash is the one that is needed.
 */
export function createLogger(options: LoggerOptions): Logger {
  const settings = {
    level: options.level ?? 'info',
    base: { role: options.role, pid: process.pid },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (level: string) => ({ level }) },
    messageKey: 'message',
  };
  return pino(settings, options.destination ?? pino.destination({ fd: 2, sync: true }));
}
