import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseSync } from "oxc-parser";

/** How many imports lead from a file to each that it reaches; its own tests and helpers included. */
export type Reach = ReadonlyMap<string, number>;

/** Follows imports of values below `root`; type imports do not exist at run time. */
export class Imports {
  readonly #root: string;
  readonly #direct = new Map<string, readonly string[]>();

  constructor(root: string) {
    this.#root = root;
  }

  reachOf(file: string): Reach {
    const distance = new Map([[file, 0]]);
    for (const [from, steps] of distance)
      for (const to of this.#importsOf(from)) if (!distance.has(to)) distance.set(to, steps + 1);
    return distance;
  }

  #importsOf(file: string): readonly string[] {
    const known = this.#direct.get(file);
    if (known !== undefined) return known;
    const { module } = parseSync(file, readFileSync(join(this.#root, file), "utf8"));
    const imported = module.staticImports
      .filter(({ entries }) => entries.length === 0 || entries.some(({ isType }) => !isType))
      .map(({ moduleRequest }) => moduleRequest.value);
    const exported = module.staticExports.flatMap(({ entries }) =>
      entries.flatMap(({ isType, moduleRequest }) => (isType || moduleRequest === null ? [] : [moduleRequest.value])),
    );
    const files = [...imported, ...exported]
      .filter((specifier) => /^\..*\.ts$/.test(specifier))
      .map((specifier) => join(dirname(file), specifier));
    this.#direct.set(file, files);
    return files;
  }
}
