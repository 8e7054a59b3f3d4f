import { SublaceError } from '@sublace/errors';
import type { ServingLog } from '../log.ts';
import type { Certificates } from './certificates.ts';
import type { KnownToken } from './tokens.ts';

/** How often files are compared with what was read of them, milliseconds. */
const lookMs = 10_000;

/** What is read again while the server runs. */
export interface Secrets {
  readonly certificates: Certificates | undefined;
  /** Reads the tokens; throws when they cannot be used. */
  readTokens(): KnownToken[];
  /** Is given tokens that have changed. */
  setTokens(tokens: readonly KnownToken[]): void;
}

/** Reads tokens and certificates again: from time to time, and when it is told to. */
export class FreshSecrets {
  readonly #secrets: Secrets;
  readonly #log: ServingLog;
  readonly #timer: NodeJS.Timeout;
  #tokens: string;
  /** What was wrong with files the last time, so that it is said once. */
  #faults = '';

  /**
   * @param secrets  What there is, read already.
   * @param log  Is told of changes, and of files that cannot be used: then what was read before stays.
   */
  constructor(secrets: Secrets, log: ServingLog) {
    this.#secrets = secrets;
    this.#log = log;
    this.#tokens = digestOf(secrets.readTokens());
    this.#timer = setInterval(() => this.reload(), lookMs).unref();
  }

  /** Reads everything again now. */
  reload(): void {
    const faults: string[] = [];
    const attempt = (what: string, read: () => boolean): void => {
      try {
        if (read()) this.#log.info({}, `${what} have changed and are in use`);
      } catch (error) {
        faults.push(`${what}: ${SublaceError.from(error).message}`);
      }
    };
    attempt('certificates', () => this.#secrets.certificates?.reload() ?? false);
    attempt('tokens', () => {
      const tokens = this.#secrets.readTokens();
      if (digestOf(tokens) === this.#tokens) return false;
      this.#tokens = digestOf(tokens);
      this.#secrets.setTokens(tokens);
      return true;
    });
    const said = this.#faults;
    this.#faults = faults.join('; ');
    if (this.#faults !== '' && this.#faults !== said) this.#log.error({ reason: this.#faults }, 'what was read before stays in use');
  }

  /** Looks no more. */
  stop(): void {
    clearInterval(this.#timer);
  }
}

function digestOf(tokens: readonly KnownToken[]): string {
  return JSON.stringify(tokens.map(({ name, role, digest }) => [name, role, digest.toString('hex')]));
}
