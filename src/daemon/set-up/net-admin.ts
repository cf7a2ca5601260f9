import { readFileSync } from "node:fs";
import { parseCapabilities } from "../../wire/kernel/capabilities.ts";

/** Whether this process may change the firewall, and may let the guard do so. `status`: of a process (proc(5)). */
export function hasNetAdmin(status = readFileSync("/proc/self/status", "utf8")): boolean {
  return parseCapabilities(status, "CapEff").includes("NET_ADMIN");
}
