import { randomUUID } from 'node:crypto';

/** What a client may call its request: it is written into logs and headers. */
const accepted = /^[\w.:/+=-]{1,128}$/;

/**
 * The id of a request.
 *
 * @param given  What the client called it, if anything.
 * @returns  That, where it is fit for logs; else a new one.
 */
export function newRequestId(given: string | undefined): string {
  return given !== undefined && accepted.test(given) ? given : randomUUID();
}
