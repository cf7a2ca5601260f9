import type { ChildProcess } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { startDns } from "./dns.ts";
import { Host } from "./host.ts";
import { makeNetwork, removeNetwork } from "./network.ts";

/** A network of its own for one test file: see network.ts for who lives where. */
export class Lab {
  readonly directory: string;
  readonly server: Host;
  readonly sender: Host;
  readonly attacker: Host;
  readonly #dns: ChildProcess;

  private constructor(directory: string, dns: ChildProcess, hosts: readonly [Host, Host, Host]) {
    this.directory = directory;
    this.#dns = dns;
    [this.server, this.sender, this.attacker] = hosts;
  }

  /** `records`: lines of a zone file for the lab's DNS, besides its own. */
  static async make(records: readonly string[] = []): Promise<Lab> {
    // Below /var/tmp: unprivileged users must be able to enter it, and sockets need a short path.
    const directory = mkdtempSync(join("/var/tmp", "gi-lab-"));
    chmodSync(directory, 0o755);
    const cleanUp = (): void => {
      removeNetwork();
      rmSync(directory, { recursive: true, force: true });
    };
    process.on("exit", cleanUp);
    // A test run that is stopped takes its network away too.
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(1));
    try {
      await makeNetwork();
      const dns = await startDns(directory, records);
      const hosts = [
        await Host.start("server", directory),
        await Host.start("sender", directory),
        await Host.start("attacker", directory),
      ] as const;
      return new Lab(directory, dns, hosts);
    } catch (error) {
      cleanUp();
      throw error;
    }
  }

  remove(): void {
    for (const host of [this.server, this.sender, this.attacker]) host.stop();
    this.#dns.kill("SIGKILL");
    removeNetwork();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
