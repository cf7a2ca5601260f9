import { statSync } from "node:fs";
import type { ServiceName } from "../../../render/runit.ts";
import type { Layout } from "../../../settings/layout.ts";

const READERS = ["postfix", "dovecot"] as const satisfies readonly ServiceName[];

/** Makes Postfix and Dovecot reopen `accounts.db` after a new file replaced it: they keep the old one open. */
export class AccountsDbWatch {
  readonly #path: string;
  readonly #reload: (service: ServiceName) => Promise<string | null>;
  #inode: bigint | null;

  constructor({ accountsDb }: Layout, reload: (service: ServiceName) => Promise<string | null>) {
    this.#path = accountsDb;
    this.#reload = reload;
    this.#inode = this.#now();
  }

  /** Why a service was not reloaded, one sentence each; it is not retried. Call it about every second. */
  async look(): Promise<readonly string[]> {
    const inode = this.#now();
    if (inode === null || inode === this.#inode) return [];
    this.#inode = inode;
    const failures: string[] = [];
    for (const service of READERS) {
      const reason = await this.#reload(service);
      if (reason !== null) failures.push(`${service} could not be reloaded after accounts.db was replaced: ${reason}`);
    }
    return failures;
  }

  #now(): bigint | null {
    return statSync(this.#path, { bigint: true, throwIfNoEntry: false })?.ino ?? null;
  }
}
