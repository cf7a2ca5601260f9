import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "./temporary-directory.ts";

/**
 * From now on this process's reports see no lists of packages: apt-get(8) may take 3 s of a processor to read those of a
 * machine. For the tests of a file with a process of its own, to which it does not matter which updates wait.
 */
export function noPackageLists(): void {
  const directory = temporaryDirectory();
  // apt is asked as nobody.
  chmodSync(directory, 0o755);
  mkdirSync(join(directory, "lists", "partial"), { recursive: true });
  const config = join(directory, "apt.conf");
  writeFileSync(config, `Dir::State::lists "${join(directory, "lists")}/";\n`);
  process.env["APT_CONFIG"] = config;
}
