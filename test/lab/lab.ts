import type { ChildProcess } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { publish, startDns } from "./dns.ts";
import { Host } from "./host.ts";
import { unmountBelow } from "./mounts.ts";
import { makeNetwork, removeNetwork } from "./network.ts";

/** A separate network for one test file: see network.ts for its hosts. It has a directory at once, hosts from `start` on. */
export class Lab {
  readonly directory: string;
  readonly server: Host;
  readonly sender: Host;
  readonly attacker: Host;
  #dns: ChildProcess | null = null;

  constructor() {
    // Below /var/tmp: unprivileged users must be able to enter it, and sockets need a short path.
    this.directory = mkdtempSync(join("/var/tmp", "gi-lab-"));
    chmodSync(this.directory, 0o755);
    this.server = new Host("server", this.directory);
    this.sender = new Host("sender", this.directory);
    this.attacker = new Host("attacker", this.directory);
    process.on("exit", () => this.#takeAway());
  }

  /** A lab that has started. `records`: further lines of a zone file for its DNS. */
  static async make(records: readonly string[] = []): Promise<Lab> {
    return new Lab().start(records);
  }

  async start(records: readonly string[] = []): Promise<this> {
    // A stopped test run removes its network too.
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(1));
    try {
      await makeNetwork();
      this.#dns = await startDns(this.directory, records);
      return this;
    } catch (error) {
      this.#takeAway();
      throw error;
    }
  }

  /** Further records, and the address at which resolvers find the DNS host. */
  publish(records: readonly string[], host: string): void {
    publish(this.directory, records, host);
    this.#dns?.kill("SIGHUP");
  }

  remove(): void {
    for (const host of [this.server, this.sender, this.attacker]) host.stop();
    this.#dns?.kill("SIGKILL");
    this.#takeAway();
  }

  #takeAway(): void {
    removeNetwork();
    unmountBelow(this.directory);
    rmSync(this.directory, { recursive: true, force: true });
  }
}
