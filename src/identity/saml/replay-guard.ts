/** Remembers what may be used once. */
export interface ReplayGuard {
  /**
   * True for the first use of an id until `untilMs`, milliseconds since the Unix epoch, and false for every later one.
   * One of several uses at the same time is the first. Throws when nothing is known about earlier uses.
   */
  useOnce(id: string, untilMs: number): Promise<boolean>;
}
