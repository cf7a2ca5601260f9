/** Output and questions of a command. Results go to standard output, everything else to standard error. */
export interface Terminal {
  /** Whether a person is at both ends, so that questions can be asked. */
  readonly interactive: boolean;
  /** Columns of the terminal that gets the results; null if they go elsewhere. */
  readonly width: number | null;
  out(text: string): void;
  /** For output that cannot be shown twice: waits until all of it is written, and on a disk flushed. Returns why it failed, or null. */
  outForGood(text: string): Promise<Readonly<{ ok: true }> | Readonly<{ ok: false; reason: string }>>;
  err(text: string): void;
  /** Progress of long work: one line of a terminal that the next text replaces; nothing elsewhere. */
  progress(text: string): void;
  /** The first line of standard input without its end; null if there is none within `mostBytes`. */
  readLine(mostBytes: number): Promise<string | null>;
  /** Asks without echo; null if interrupted. */
  askSecret(question: string): Promise<string | null>;
  /** Asks with echo; null if interrupted. */
  ask(question: string): Promise<string | null>;
  /** Aborted by Ctrl-C, TERM, or when the terminal closes. */
  readonly interrupted: AbortSignal;
}
