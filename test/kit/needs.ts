import { accessSync, constants, readFileSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

/** What a test requires and a machine may lack. */
export type Needs = Readonly<{
  root?: boolean;
  /** Names of commands, or paths of files. */
  installed?: readonly string[];
  /** System users, as set-up adds them. */
  users?: readonly string[];
}>;

/** The reason why a test cannot run here, or false: for `skip`. The runner fails if CI=true and one is missing. */
export function lacking({ root = false, installed = [], users = [] }: Needs): string | false {
  const missing = installed.filter((name) => !isInstalled(name));
  const known = readFileSync("/etc/passwd", "utf8").split("\n");
  const strangers = users.filter((user) => !known.some((line) => line.startsWith(`${user}:`)));
  const reasons = [
    ...(root && process.getuid?.() !== 0 ? ["it needs root"] : []),
    ...(missing.length > 0 ? [`not installed: ${missing.join(", ")}`] : []),
    ...(strangers.length > 0 ? [`no such user: ${strangers.join(", ")}`] : []),
  ];
  return reasons.length > 0 && reasons.join("; ");
}

/** For tests that need these commands or files. */
export function installed(...names: readonly string[]): Readonly<{ skip: string | false }> {
  return { skip: lacking({ installed: names }) };
}

/** For tests that only root can run. */
export const ROOT = { skip: lacking({ root: true }) };

function isInstalled(name: string): boolean {
  if (isAbsolute(name)) return isThere(name, constants.R_OK);
  return (process.env["PATH"] ?? "")
    .split(delimiter)
    .some((directory) => isThere(join(directory, name), constants.X_OK));
}

function isThere(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
