/** Returns a function that runs each work after the one before, whether or not that failed. */
export function oneAfterAnother(): <T>(work: () => Promise<T> | T) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const done = last.then(work);
    // Keeps no result, which may be a secret.
    last = done.then(
      () => undefined,
      () => undefined,
    );
    return done;
  };
}

/** Returns a function that starts the work unless it is still running. */
export function unlessRunning<A extends readonly unknown[]>(work: (...given: A) => Promise<void>) {
  let isRunning = false;
  return async (...given: A): Promise<void> => {
    if (isRunning) return;
    isRunning = true;
    await work(...given).finally(() => (isRunning = false));
  };
}
