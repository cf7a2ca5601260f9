import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** Unmounts everything that a stopped test has left there, last mount first. Safe in an exit handler. */
export function unmountBelow(directory: string): void {
  const mounted = readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .flatMap((line) => line.split(" ")[1] ?? [])
    .filter((at) => at.startsWith(`${directory}/`))
    .toReversed();
  if (mounted.length > 0) spawnSync("umount", ["-l", ...mounted], { stdio: "ignore" });
}
