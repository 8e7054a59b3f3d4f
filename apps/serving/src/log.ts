/** Where the server reports; a pino logger is one. */
export interface ServingLog {
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** For a server that is started without a log. */
export const silentLog: ServingLog = { info: () => undefined, error: () => undefined };
