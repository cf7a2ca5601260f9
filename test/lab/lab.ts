import type { ChildProcess } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { publish, startDns } from "./dns.ts";
import { hostOf } from "./host.ts";
import { unmountBelow } from "./mounts.ts";
import { makeNetwork, removeNetwork } from "./network.ts";

export type Lab = ReturnType<typeof newLab>;

/** A lab that has started. `records`: further lines of a zone file for its DNS. */
export async function makeLab(records: readonly string[] = []): Promise<Lab> {
  const lab = newLab();
  await lab.start(records);
  return lab;
}

/** A separate network for one test file: see network.ts for its hosts. Its directory exists immediately, its hosts from `start` on. */
export function newLab() {
  // Below /var/tmp: unprivileged users must be able to enter it, and sockets need a short path.
  const directory = mkdtempSync(join("/var/tmp", "gi-lab-"));
  chmodSync(directory, 0o755);
  const server = hostOf("server", directory);
  const sender = hostOf("sender", directory);
  const attacker = hostOf("attacker", directory);
  let dns: ChildProcess | null = null;
  const takeAway = (): void => {
    removeNetwork();
    unmountBelow(directory);
    rmSync(directory, { recursive: true, force: true });
  };
  process.on("exit", takeAway);
  return {
    directory,
    /** A place in its directory. */
    path: (...names: readonly string[]): string => join(directory, ...names),
    server,
    sender,
    attacker,
    start: async (records: readonly string[] = []): Promise<void> => {
      // A test run that is stopped must also remove its network.
      for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(1));
      try {
        await makeNetwork();
        dns = await startDns(directory, records);
      } catch (error) {
        takeAway();
        throw error;
      }
    },
    /** Further records, and the address at which resolvers find the DNS host. */
    publish: (records: readonly string[], host: string): void => {
      publish(directory, records, host);
      dns?.kill("SIGHUP");
    },
    remove: (): void => {
      for (const host of [server, sender, attacker]) host.stop();
      dns?.kill("SIGKILL");
      takeAway();
    },
  };
}
