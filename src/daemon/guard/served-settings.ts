import type { SqliteAccountNetworks } from "../../adapters/sqlite/accounts-db/account-networks.ts";
import type { SqliteFileAccounts } from "../../adapters/sqlite/accounts-db/file-accounts.ts";
import { messageOf } from "../../core/error.ts";
import { parseAddress } from "../../core/net/address.ts";
import { SECOND_MS } from "../../core/time.ts";
import type { SessionStore } from "../../engine/admin-ports.ts";
import type { Clock, Notices } from "../../engine/ports.ts";
import type { Settings } from "../../settings/schema.ts";

/** Each try can wait for another program's lock, and decisions wait with it. */
const AGAIN_MS = 5 * SECOND_MS;

export type ServedSettingsParts = Readonly<{
  networks: Pick<SqliteAccountNetworks, "serve">;
  files: Pick<SqliteFileAccounts, "endFollowing">;
  sessions: Pick<SessionStore, "end">;
  notices: Notices;
  clock: Clock;
}>;

/**
 * The settings that Postfix and Dovecot read from the accounts' database, and the sessions that new settings end. While the database
 * cannot be written, the previous ones stay in force, with a notice, and the guard retries.
 */
export class ServedSettings {
  readonly #parts: ServedSettingsParts;
  #waiting: Settings | null = null;
  #triedAt = Number.NEGATIVE_INFINITY;

  constructor(parts: ServedSettingsParts) {
    this.#parts = parts;
  }

  serve(settings: Settings): void {
    this.#waiting = settings;
    this.#try();
  }

  /** Call it about every second. */
  look(): void {
    const now = this.#parts.clock.now();
    if (this.#waiting !== null && Math.abs(now - this.#triedAt) >= AGAIN_MS) this.#try();
  }

  #try(): void {
    const { networks, files, sessions, notices, clock } = this.#parts;
    const settings = this.#waiting;
    if (settings === null) return;
    this.#triedAt = clock.now();
    const administrator = parseAddress(settings["accounts.administrator"]);
    const { domains, "recipients.blocked": refused, "logins.networks": everywhere } = settings;
    try {
      networks.serve({ domains, administrator, refused, networks: everywhere });
      if (settings["accounts.follow"] === "") files.endFollowing();
      // Otherwise they would continue once users may sign in again.
      if (!settings["http.mailboxes"]) sessions.end("mailboxes");
    } catch (error) {
      return notices.raise("accounts_unwritable", messageOf(error));
    }
    this.#waiting = null;
    notices.clear("accounts_unwritable");
  }
}
