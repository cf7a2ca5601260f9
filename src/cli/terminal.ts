/** Output and questions of a command. Results go to standard output, everything else to standard error. */
export interface Terminal {
  /** Whether a person is at both ends, so that questions may be asked. */
  readonly interactive: boolean;
  /** The columns of the terminal to which results go; null if they go elsewhere. */
  readonly width: number | null;
  out(text: string): void;
  /** The same for what cannot be shown twice: waits until all of it is written, and on a disk kept. The reason if it is not. */
  outForGood(text: string): Promise<Readonly<{ ok: true }> | Readonly<{ ok: false; reason: string }>>;
  err(text: string): void;
  /** How far long work is: one line of a terminal that the next text replaces, and nothing elsewhere. */
  progress(text: string): void;
  /** The first line of standard input without its end; null if there is none within `mostBytes`. */
  readLine(mostBytes: number): Promise<string | null>;
  /** Asks without echo; null if interrupted. */
  askSecret(question: string): Promise<string | null>;
  /** Asks with echo; null if interrupted. */
  ask(question: string): Promise<string | null>;
  /** Aborted by Ctrl-C, TERM, or the end of the terminal. */
  readonly interrupted: AbortSignal;
}
