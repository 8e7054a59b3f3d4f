import type { IncomingHttpHeaders } from 'node:http';

/**
 * Whether a request comes from a page of another origin. Browsers say so of every POST, also of those that they send without asking the server first, whose answers the page does not
 * get to see: without tokens, such a call must change nothing.
 *
 * @param headers  Of the request.
 * @param headers.origin  The page's; absent outside browsers.
 * @param headers.host  Whom the request is for.
 * @returns  False for the server's own page and for everything that is no browser.
 */
export function isForeignPage({ origin, host }: Pick<IncomingHttpHeaders, 'origin' | 'host'>): boolean {
  if (origin === undefined) return false;
  return !URL.canParse(origin) || new URL(origin).host !== host?.toLowerCase();
}
