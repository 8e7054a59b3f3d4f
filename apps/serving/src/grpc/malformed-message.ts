import { SublaceError } from '@sublace/errors';
import type { ServiceDefinition } from '@grpc/grpc-js';

/** Stands for a message that could not be read. */
export class MalformedMessage {
  readonly #reason: string;

  /**
   * @param reason  What the decoder said.
   */
  constructor(reason: string) {
    this.#reason = reason;
  }

  /** What the caller is told. */
  get error(): SublaceError {
    return new SublaceError('INVALID_ARGUMENT', `expected a protobuf message of this call, got one that cannot be read: ${this.#reason}`);
  }
}

/**
 * A service whose requests, when they cannot be read, reach the handler as {@link MalformedMessage}: the runtime's own answer, INTERNAL, would say
 * that the server is at fault.
 *
 * @param definition  The service.
 * @returns  The same calls.
 */
export function readingWithCare<Definition extends ServiceDefinition>(definition: Definition): Definition {
  const entries = Object.entries(definition).map(([name, method]) => {
    const requestDeserialize = (bytes: Buffer): unknown => {
      try {
        return method.requestDeserialize(bytes);
      } catch (error) {
        return new MalformedMessage(error instanceof Error ? error.message.slice(0, 100) : 'unknown');
      }
    };
    return [name, { ...method, requestDeserialize }];
  });
  return Object.fromEntries(entries) as Definition;
}
