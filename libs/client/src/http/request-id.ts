/**
 * A new request id: 128 random bits in hexadecimal.
 *
 * @returns  32 characters.
 */
export function newRequestId(): string {
  // Not randomUUID, which pages that came by plain HTTP do not have.
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
