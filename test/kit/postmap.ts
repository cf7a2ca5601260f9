import { spawnSync } from "node:child_process";
import { utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "./temporary-directory.ts";

/** The actions that cleanup(8) would take on this mail's headers with a regexp_table(5), as postmap(1) finds them. */
export function headerActions(table: string, mail: string): readonly string[] {
  const directory = temporaryDirectory();
  const file = join(directory, "table");
  const settings = join(directory, "main.cf");
  writeFileSync(settings, "");
  // Postfix's programs wait until a file that was just written is two seconds old.
  utimesSync(settings, 0, 0);
  writeFileSync(file, table);
  const argv = ["-c", directory, "-hmq", "-", `regexp:${file}`];
  // Fails without output if nothing matches.
  const { stdout } = spawnSync("postmap", argv, { input: mail, encoding: "utf8" });
  // Each line is a header, a tab and the action.
  return stdout.split("\n").flatMap((line) => /\t([A-Z]+(?: .*)?)$/.exec(line)?.[1] ?? []);
}
