/** Longest message that a client is sent, characters. */
const lengthMax = 500;

/** What ends a line, moves the cursor, or cannot be seen. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * A message about what somebody sent, fit to be sent back and to be logged: names in it came from outside.
 *
 * @param message  May hold anything.
 * @returns  One line of limited length; what cannot be printed is written as its code point.
 */
export function oneLine(message: string): string {
  const short = message.length <= lengthMax ? message : `${message.slice(0, lengthMax)}...`;
  return short.replace(unprintable, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}
