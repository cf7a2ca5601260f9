import { existsSync } from "node:fs";
import type { KeeperTrouble } from "../../../admin/declare/keeper.ts";
import { isInMemory } from "../../../host/root-files/disks.ts";
import { removeFile } from "../../../host/root-files/files.ts";
import type { ServiceName } from "../../../host/running/runit.ts";
import { type MailCrypt, type MailCryptSettings, mailCryptOf } from "../../../mail/configuration/site.ts";
import { lacksRecoveryKey, lockedBecause, placeMailKey, whyNoServerKey } from "../../../mail/dovecot/mail-keys.ts";
import type { Layout } from "../../../settings/layout.ts";

/** A failed or missing restart is retried after this many checks, or half a minute, because a failing one can take ten seconds. */
const LOOKS_UNTIL_RETRY = 30;

/** Lets Dovecot read mail while the right private key exists, and no longer. */
export function createMailKeyWatch(
  layout: Layout,
  settings: () => MailCryptSettings | null,
  restart: (service: ServiceName) => Promise<string | null>,
) {
  /** How many checks until Dovecot is restarted, because it does not know yet what has changed; null if it does. */
  let looksUntilRestart: number | null = null;
  let isMarked = false;

  /** Restarts Dovecot if the key appeared or disappeared, because open sessions keep the old state. Returns null, or why it failed. */
  async function look(): Promise<string | null> {
    const crypt = cryptNow();
    // Before the keys exist, there is nothing to read.
    if (crypt === null || !existsSync(crypt.publicKey)) return null;
    const isNew = placeMailKey(crypt, layout);
    const wasMarked = isMarked;
    isMarked = existsSync(layout.mailKeyUnread);
    if (isNew) looksUntilRestart = 0;
    // A command that changed it restarts Dovecot itself, unless it was killed, as the last keeper may have been.
    else if (isMarked) looksUntilRestart ??= LOOKS_UNTIL_RETRY;
    // The mark is gone after a restart. On a full disk there never was one, and the wait continues.
    else if (wasMarked) looksUntilRestart = null;
    if (looksUntilRestart === null) return null;
    if (looksUntilRestart > 0) {
      looksUntilRestart -= 1;
      return null;
    }
    const failed = await restart("dovecot");
    looksUntilRestart = failed === null ? null : LOOKS_UNTIL_RETRY;
    if (failed === null) removeFile(layout.mailKeyUnread);
    return failed;
  }

  function troubles(): readonly KeeperTrouble[] {
    const crypt = cryptNow();
    if (crypt === null) return [];
    const recovery: readonly KeeperTrouble[] = lacksRecoveryKey(crypt, layout)
      ? [{ code: "recovery_key_missing", detail: "./ghostinbox encryption recovery-key" }]
      : [];
    return [...recovery, ...troublesOfServer(crypt)];
  }

  function troublesOfServer(crypt: MailCrypt): readonly KeeperTrouble[] {
    if (!existsSync(crypt.publicKey)) {
      const why = whyNoServerKey({ mailCrypt: crypt, layout });
      return [{ code: "mail_unencrypted", detail: why ?? `Not used yet: ${crypt.privateKey}` }];
    }
    const locked = lockedBecause(crypt);
    if (locked !== null) return [{ code: "mail_locked", detail: locked.replace(/\.$/, "") }];
    if (existsSync(layout.mailKeySeen)) return [];
    const inMemory = isInMemory(crypt.privateKey) ? IN_MEMORY : "";
    return [{ code: "mail_key_unseen", detail: `./ghostinbox encryption key${inMemory}` }];
  }

  function cryptNow() {
    const inForce = settings();
    return inForce === null ? null : mailCryptOf(inForce, layout);
  }

  return { look, troubles };
}

const IN_MEMORY = " (the key is only in memory: the next reboot loses it, and the mail that it encrypted)";
