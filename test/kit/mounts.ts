import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";

type Mount = Disposable & Readonly<{ path: string }>;

/** Makes this directory and mounts something on it with mount(8). `using` unmounts it at the end of the block. */
export function mounted(path: string, ...how: readonly string[]): Mount {
  mkdirSync(path, { recursive: true });
  execFileSync("mount", [...how, path]);
  return { path, [Symbol.dispose]: () => void execFileSync("umount", [path]) };
}

/** Mounts a file on itself, the way a container gets a single file. */
export function mountedFile(path: string, ...how: readonly string[]): Mount {
  execFileSync("mount", ["--bind", ...how, path, path]);
  return { path, [Symbol.dispose]: () => void execFileSync("umount", [path]) };
}

/** A file system in memory. */
export function tmpfs(path: string, options = "mode=755"): Mount {
  return mounted(path, "-t", "tmpfs", "-o", options, "tmpfs");
}
