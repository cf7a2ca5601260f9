/**
 * Keeps the latest objects of each kind that decisions are made of. V8 compiles a function for the shapes of the objects that
 * it saw (hidden classes). At a full garbage collection it forgets a shape of which no object is left, and drops all code
 * that was compiled for it. The guard's objects live for one question, so each full collection made its whole way through a
 * question slow again, for thousands of questions.
 */
export class KeptShapes {
  readonly #latest = new Map<string, readonly unknown[]>();

  keep(kind: string, objects: readonly unknown[]): void {
    this.#latest.set(kind, objects);
  }
}
