import type { CommandError } from "../../../admin/declare/control.ts";
import { isMailboxUser, isRootUser } from "../../../admin/declare/rights.ts";
import type { AccountName } from "../../../core/net/address.ts";
import { digestOf, madePassword } from "../../access/secrets.ts";
import type { SecretMaker } from "../../admin-ports.ts";
import type { AppPasswordStore } from "../../mailbox-ports.ts";
import type { Clock } from "../../ports.ts";
import { type RecordParts, recordThenChange } from "../record-first.ts";
import { failed } from "../refusals.ts";
import type { RunsOf } from "../run-of.ts";
import { missingAccount } from "./account-lists.ts";
import type { AccountStateCommandParts } from "./account-state.ts";
import { type AccountCommandParts, endSessions } from "./accounts.ts";

type AppPasswordParts = RecordParts &
  Pick<AccountCommandParts, "keeper"> &
  Pick<AccountStateCommandParts, "accountLists"> &
  Readonly<{
    appPasswords: AppPasswordStore;
    secrets: Pick<SecretMaker, "passwordHashOf">;
    mailboxes: () => Readonly<{ keyOfEach: boolean }>;
    clock: Clock;
  }>;

/** The account's password encrypts its key, so no other password opens its mail. */
const KEY_OF_EACH = failed(
  "Each account has a key for its mail (mailboxes.encryption), which only its own password opens.",
  "Use the password of the account in each mail program.",
);

export const APP_PASSWORD_RUNS = {
  /** Creates a password for one mail program. */
  app_password_add: async (parts, { name, app }, by) => {
    if (parts.mailboxes().keyOfEach) return KEY_OF_EACH;
    const password = madePassword();
    const secret = { digest: digestOf(password), passwordHash: parts.secrets.passwordHashOf(name, password) };
    const at = parts.clock.now();
    return recordThenChange(parts, {
      change: () => parts.appPasswords.addAppPassword({ account: name, name: app, ...secret, by, at }),
      audit: { type: "APP_PASSWORD_MADE", subject: `${app} of ${name}`, account: name, by },
      // A dry run stores no password, so it must not show one.
      result: { name, app, password: parts.isDry === true ? "" : password },
      refused: (reason) => refused(reason, name, by),
    });
  },
  /** Removes an app password, and ends the sessions that it may have opened. */
  app_password_remove: async (parts, { name, app }, by) => {
    const removed = await recordThenChange(parts, {
      change: () => parts.appPasswords.removeAppPassword(name, app),
      audit: { type: "APP_PASSWORD_REMOVED", subject: `${app} of ${name}`, account: name, by },
      result: { name, app },
      refused: (reason) => refused(reason, name, by),
    });
    return removed.ok ? ((await endSessions(parts, name, by)) ?? removed) : removed;
  },
  /** `by`: the actor who asks. The user of the mailbox does not see who made an app password. */
  app_passwords: ({ accountLists, appPasswords }, { name }, by) => {
    if (accountLists.account(name) === null) return missingAccount(name);
    const isUser = isMailboxUser(by);
    const items = appPasswords.appPasswordsOf(name).map(({ name: id, madeAt, madeBy, usedAt }) => {
      const item = { id, name: id, made: madeAt, lastUsed: usedAt };
      return isUser ? item : { ...item, madeBy };
    });
    return { ok: true, result: { items } };
  },
} satisfies RunsOf<AppPasswordParts>;

/** Users, the web and root see app passwords in different places. */
function refused(reason: string, account: AccountName, by: string): CommandError {
  const page = isMailboxUser(by) ? "Your page My mailbox" : "The page of the account (GET …/app-passwords)";
  const lists = `\`account list\` shows the accounts, \`account app-password list ${account}\` the app passwords.`;
  return failed(reason, isRootUser(by) ? lists : `${page} shows them.`);
}
