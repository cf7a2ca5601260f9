/** Root does not write at this path. The message is one sentence for the administrator, with what to do next. */
export class UnsafePath extends Error {
  constructor(sentence: string) {
    super(sentence);
    this.name = "UnsafePath";
  }
}

const DESCRIPTOR = /\/proc\/self\/fd\/\d+/g;

/** Runs the work; errors name the requested path instead of the descriptor (/proc/self/fd/7/x). */
export function explained<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw named(path, error);
  }
}

export function named(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof UnsafePath || !("code" in error)) return error;
  const message = error.message.replaceAll(DESCRIPTOR, "").replace(/'[^']*'/, `'${path}'`);
  return Object.assign(new Error(message, { cause: error }), { code: error.code, path });
}

export function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
