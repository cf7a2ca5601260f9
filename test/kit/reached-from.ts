import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Every file of ours that these import, statically or dynamically. Imports of types alone don't count. */
export function reachedFrom(entries: readonly string[]): readonly string[] {
  const found = new Set(entries);
  for (const file of found) {
    const code = readFileSync(file, "utf8").replaceAll(/^(?:import|export) type [^;]*;/gm, "");
    for (const [, name = ""] of code.matchAll(/(?:\bfrom|\bimport\(?)\s*"(\.\.?\/[^"]+\.ts)"/g)) {
      const path = join(dirname(file), name);
      if (existsSync(path)) found.add(path);
    }
  }
  return [...found].toSorted();
}
