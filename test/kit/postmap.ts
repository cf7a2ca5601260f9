import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "./temporary-directory.ts";

/** What cleanup(8) would do with the headers of this mail by a regexp_table(5): the actions that postmap(1) finds. */
export function headerActions(table: string, mail: string): readonly string[] {
  const directory = temporaryDirectory();
  const file = join(directory, "table");
  writeFileSync(join(directory, "main.cf"), "");
  writeFileSync(file, table);
  try {
    const argv = ["-c", directory, "-hmq", "-", `regexp:${file}`];
    const found = execFileSync("postmap", argv, { input: mail, encoding: "utf8", stdio: "pipe" });
    // Each header, a tab, and the action.
    return found.split("\n").flatMap((line) => /\t([A-Z]+(?: .*)?)$/.exec(line)?.[1] ?? []);
  } catch {
    // postmap(1) fails if nothing matches.
    return [];
  }
}
