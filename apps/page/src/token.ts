const key = 'sublace-token';

/**
 * The token of this tab.
 *
 * @returns  Empty where there is none, or where the browser keeps nothing.
 */
export function keptToken(): string {
  try {
    return sessionStorage.getItem(key) ?? '';
  } catch {
    return '';
  }
}

/**
 * Keeps a token until the tab is closed; nothing is written to a disk on purpose.
 *
 * @param token  Empty to forget it.
 */
export function keepToken(token: string): void {
  try {
    if (token) sessionStorage.setItem(key, token);
    else sessionStorage.removeItem(key);
  } catch {
    // Private windows may refuse: it then lives as long as the page.
  }
}
