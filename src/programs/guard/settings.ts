import type { DatabaseSync } from "node:sqlite";
import { messageOf } from "../../core/error.ts";
import { parseAddress } from "../../core/net/address.ts";
import { SECOND_MS } from "../../core/time.ts";
import type { FileAccounts, ServedSettings as ServedStore, SessionStore } from "../../guard/admin-ports.ts";
import type { SettingsText } from "../../guard/commands/settings.ts";
import type { Clock, Notices } from "../../guard/ports.ts";
import { SettingsUnreadable, settingsInForce, settingsText } from "../../host/machine/settings-text.ts";
import type { Layout } from "../../settings/layout.ts";
import { type SettingsRead, settingsOrReason } from "../../settings/load.ts";
import { type SettingKey, type Settings, settingKeys } from "../../settings/schema.ts";
import { unserved } from "../../store/accounts-db/account-networks.ts";

/** The settings file as text, with the variables that this program was started with. */
export function readSettingsText(layout: Layout): SettingsText {
  try {
    const text = settingsText(layout.settings);
    if (text !== null) return { ok: true, text, env: process.env };
    return { ok: false, reason: `${layout.settings} does not exist.` };
  } catch (error) {
    if (error instanceof SettingsUnreadable) return { ok: false, reason: `${error.message}.` };
    return { ok: false, reason: `${layout.settings} cannot be read: ${messageOf(error)}.` };
  }
}

/** The settings of the file, with the environment that this program was started with. */
export function readSettings(layout: Layout): SettingsRead {
  const read = readSettingsText(layout);
  return read.ok ? settingsOrReason(read.text, read.env) : read;
}

/** The settings in force, or else those of the file. */
export function readInForce(layout: Layout): SettingsRead {
  return settingsInForce(layout, process.env) ?? readSettings(layout);
}

export function changedKeys(before: Settings, after: Settings): readonly SettingKey[] {
  return settingKeys().filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]));
}

/** Time between tries. Each can wait for another program's lock, and decisions wait with it. */
const AGAIN_MS = 5 * SECOND_MS;

type ServedSettingsParts = Readonly<{
  networks: ServedStore;
  files: Pick<FileAccounts, "endFollowing">;
  sessions: Pick<SessionStore, "end">;
  notices: Notices;
  clock: Clock;
}>;

/**
 * The settings that Postfix and Dovecot read from the accounts' database, and the sessions that new settings end. While the database
 * cannot be written, the previous ones stay in force, with a notice, and the guard retries.
 */
export function createServedSettings({ networks, files, sessions, notices, clock }: ServedSettingsParts) {
  let waiting: Settings | null = null;
  let triedAt = Number.NEGATIVE_INFINITY;

  function serve(settings: Settings): void {
    waiting = settings;
    attempt();
  }

  /** Call it about every second. */
  function look(): void {
    const now = clock.now();
    if (waiting !== null && Math.abs(now - triedAt) >= AGAIN_MS) attempt();
  }

  function attempt(): void {
    const settings = waiting;
    if (settings === null) return;
    triedAt = clock.now();
    const administrator = parseAddress(settings["accounts.administrator"]);
    const { domains, "recipients.blocked": refused, "logins.networks": everywhere } = settings;
    try {
      networks.serve({ domains, administrator, refused, networks: everywhere });
      if (settings["accounts.follow"] === "") files.endFollowing();
      // Otherwise the sessions would continue once users may sign in again.
      if (!settings["http.mailboxes"]) sessions.end("mailboxes");
    } catch (error) {
      return notices.set("accounts_unwritable", messageOf(error));
    }
    waiting = null;
    notices.set("accounts_unwritable", null);
  }

  return { serve, look };
}

/**
 * Reports accounts and aliases whose domain has left the settings, perhaps by mistake: Postfix defers their mail. Reads all of them, while
 * decisions wait, so only after a change.
 */
export function createDomainWatch(accountsDb: DatabaseSync, changes: () => number, notices: Notices): () => void {
  let seen = -1;
  return () => {
    const now = changes();
    if (now === seen) return;
    const without = unserved(accountsDb);
    notices.set("domain_missing", without.length === 0 ? null : without.join(", "));
    seen = now;
  };
}
