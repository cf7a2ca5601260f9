import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseSync } from "oxc-parser";

/** How many imports lead from a file to each file that it reaches, including tests and their helpers. */
export type Reach = ReadonlyMap<string, number>;

/** Follows imports of values from each of these files below `root`. Type imports do not exist at run time. */
export function reachesOf(root: string, files: readonly string[]): ReadonlyMap<string, Reach> {
  const direct = new Map<string, readonly string[]>();
  const importsOf = (file: string): readonly string[] => {
    const known = direct.get(file) ?? importsIn(root, file);
    direct.set(file, known);
    return known;
  };
  const reachOf = (file: string): Reach => {
    const distance = new Map([[file, 0]]);
    for (const [from, steps] of distance)
      for (const to of importsOf(from)) if (!distance.has(to)) distance.set(to, steps + 1);
    return distance;
  };
  return new Map(files.map((file) => [file, reachOf(file)]));
}

function importsIn(root: string, file: string): readonly string[] {
  const { module } = parseSync(file, readFileSync(join(root, file), "utf8"));
  const imported = module.staticImports
    .filter(({ entries }) => entries.length === 0 || entries.some(({ isType }) => !isType))
    .map(({ moduleRequest }) => moduleRequest.value);
  const exported = module.staticExports.flatMap(({ entries }) =>
    entries.flatMap(({ isType, moduleRequest }) => (isType || moduleRequest === null ? [] : [moduleRequest.value])),
  );
  return [...imported, ...exported]
    .filter((specifier) => /^\..*\.ts$/.test(specifier))
    .map((specifier) => join(dirname(file), specifier));
}
