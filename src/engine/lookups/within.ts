/** The answer if it arrives in time, otherwise `otherwise`. The answer must not reject. */
export function within<T>(answer: Promise<T>, deadlineMs: number, otherwise: T): Promise<T> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(otherwise), deadlineMs);
    void answer.then((value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}
