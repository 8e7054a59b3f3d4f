/** Told how a store gets on with its server. */
export interface StoreObserver {
  /**
   * A command was answered.
   *
   * @param seconds  From sending it to its answer.
   */
  answered(seconds: number): void;
  /** A connection was made, the first one too. */
  connected(): void;
}
