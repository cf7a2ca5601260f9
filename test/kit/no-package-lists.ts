import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "./temporary-directory.ts";

/**
 * Hides the package lists from this process's reports: apt-get(8) may need 3 s of CPU time to read a machine's lists.
 * Only for a test file with its own process that does not test pending updates.
 */
export function noPackageLists(): void {
  const directory = temporaryDirectory();
  // apt runs as the user nobody.
  chmodSync(directory, 0o755);
  mkdirSync(join(directory, "lists", "partial"), { recursive: true });
  const config = join(directory, "apt.conf");
  writeFileSync(config, `Dir::State::lists "${join(directory, "lists")}/";\n`);
  process.env["APT_CONFIG"] = config;
}
