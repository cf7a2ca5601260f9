/**
 * Keeps the latest objects of each kind that decisions use. V8 compiles a function for the shapes of the objects that
 * it saw (hidden classes). At a full garbage collection it forgets a shape without objects, and drops all code
 * compiled for it. The guard's objects live for one question, so each full collection made the whole path of a
 * question slow again, for thousands of questions.
 */
export class KeptShapes {
  readonly #latest = new Map<string, readonly unknown[]>();

  keep(kind: string, objects: readonly unknown[]): void {
    this.#latest.set(kind, objects);
  }
}
