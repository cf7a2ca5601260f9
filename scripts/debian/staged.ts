import { readdirSync } from "node:fs";
import { join } from "node:path";

export type Staged = Readonly<{
  /** From the root of the package, without a slash before it. */
  path: string;
  file: string;
  kind: "file" | "directory" | "link";
}>;

/**
 * Everything below a directory. Names that start with a dot too, which globs omit. Links are not followed, as
 * `readdirSync` with `recursive` would.
 */
export function stagedIn(root: string, below = ""): readonly Staged[] {
  return readdirSync(join(root, below), { withFileTypes: true })
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
    .flatMap((entry): readonly Staged[] => {
      const path = join(below, entry.name);
      const file = join(root, path);
      if (entry.isDirectory()) return [{ path, file, kind: "directory" }, ...stagedIn(root, path)];
      return [{ path, file, kind: entry.isSymbolicLink() ? "link" : "file" }];
    });
}
