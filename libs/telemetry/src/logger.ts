import { trace } from '@opentelemetry/api';
import { pino, type Logger } from 'pino';
import { isTracing } from './tracing/start-tracing.ts';
import { jobTraceIds } from './tracing/trace-ids.ts';

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
  /** Words that must appear in no line; the token of the environment when left out. */
  secrets?: readonly string[] | undefined;
}

const REDACTED = '[redacted]';

/** Fields that are never written, wherever they come from. */
const SECRET_FIELDS = ['token', 'password', 'authorization', 'security'];

/** Shorter words are found by chance. */
const SECRET_LENGTH_MIN = 6;

/**
 * A logger that writes one JSON object per line: time in ISO 8601, level by name, role, process id, message, and the fields given. Lines about a job
 * carry the `trace_id` of its trace where tracing is on. Tokens and passwords are taken out, of fields and of text.
 *
 * @param options  Role, level, destination.
 * @returns  A pino logger. Lines are written synchronously: the last one before a crash is the one that is needed.
 */
export function createLogger(options: LoggerOptions): Logger {
  const secrets = (options.secrets ?? [process.env['SUBLACE_TOKEN'] ?? '']).filter((secret) => secret.length >= SECRET_LENGTH_MIN);
  const settings = {
    level: options.level ?? 'info',
    base: { role: options.role, pid: process.pid },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (level: string) => ({ level }) },
    messageKey: 'message',
    redact: { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]), censor: REDACTED },
    mixin: traceOf,
    hooks: { streamWrite: (line: string) => withoutSecrets(line, secrets) },
  };
  return pino(settings, options.destination ?? pino.destination({ fd: 2, sync: true }));
}

/** The span that the line belongs to, or else the trace of the job that it is about. */
function traceOf(fields: object): object {
  if (!isTracing()) return {};
  const active = trace.getActiveSpan()?.spanContext();
  if (active) return { trace_id: active.traceId, span_id: active.spanId };
  return 'jobId' in fields && typeof fields.jobId === 'string' ? { trace_id: jobTraceIds(fields.jobId).traceId } : {};
}

/** Passwords in addresses, bearer tokens, and words that are known to be secret. */
function withoutSecrets(line: string, secrets: readonly string[]): string {
  const clean = line
    .replaceAll(/(:\/\/[^\s:@/"\\]*):[^\s@/"\\]+@/g, `$1:${REDACTED}@`)
    .replaceAll(/\b(Bearer) [\w.~+/=-]+/gi, `$1 ${REDACTED}`);
  return secrets.reduce((text, secret) => text.replaceAll(secret, REDACTED), clean);
}
