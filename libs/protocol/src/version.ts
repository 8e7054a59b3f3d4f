/**
 * Version of the messages between the processes of a cluster. It changes whenever a process of before would misunderstand one of now; fields that may
 * be absent are no such change.
 */
export const PROTOCOL_VERSION = 1;

/** Metadata key that carries it with every call. */
export const PROTOCOL_VERSION_KEY = 'sublace-protocol-version';
