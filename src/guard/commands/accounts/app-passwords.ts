import type { CommandError, CommandOf, Reply } from "../../../admin/declare/control.ts";
import { isMailboxUser, isRootUser } from "../../../admin/declare/rights.ts";
import { APP_PASSWORD_NAME, appPasswordName } from "../../../core/access/passwords.ts";
import { type AccountName, parseAccountName } from "../../../core/net/address.ts";
import { digestOf, madePassword } from "../../access/secrets.ts";
import type { SecretMaker } from "../../admin-ports.ts";
import type { AppPasswordStore } from "../../mailbox-ports.ts";
import type { Clock } from "../../ports.ts";
import { recordFirst } from "../record-first.ts";
import { failed, usage, wrongAddress } from "../refusals.ts";
import { type AccountCommandParts, endSessions } from "./accounts.ts";

export type AppPasswordParts = Pick<AccountCommandParts, "engine" | "keeper" | "notices" | "rehearse" | "isDry"> &
  Readonly<{
    appPasswords: AppPasswordStore;
    secrets: Pick<SecretMaker, "proofOf">;
    mailboxes: () => Readonly<{ keyOfEach: boolean }>;
    clock: Clock;
  }>;

type AppPasswordCommand = CommandOf<"app_password_add" | "app_password_remove">;

/** The account's password encrypts its key, so no other password opens its mail. */
const KEY_OF_EACH = failed(
  "Each account has a key for its mail (mailboxes.encryption), which only its own password opens.",
  "Use the password of the account in each mail program.",
);

/** Creates a password for one mail program, or removes it and ends the sessions that it may have opened. */
export async function appPasswordCommand(
  parts: AppPasswordParts,
  command: AppPasswordCommand,
  by: string,
): Promise<Reply<AppPasswordCommand["verb"]>> {
  const account = parseAccountName(command.name);
  if (account === null) return wrongAddress(command.name);
  const app = appPasswordName(command.app);
  if (app === null) return WRONG_NAME;
  return command.verb === "app_password_add" ? add(parts, { account, app, by }) : remove(parts, { account, app, by });
}

type Named = Readonly<{ account: AccountName; app: string; by: string }>;

async function add(parts: AppPasswordParts, { account, app, by }: Named): Promise<Reply<"app_password_add">> {
  if (parts.mailboxes().keyOfEach) return KEY_OF_EACH;
  const password = madePassword();
  const secret = { digest: digestOf(password), proof: parts.secrets.proofOf(account, password) };
  const at = parts.clock.now();
  const outcome = await recordFirst(
    parts,
    () => parts.appPasswords.addAppPassword({ account, name: app, ...secret, by, at }),
    () => audit(parts, "APP_PASSWORD_MADE", { account, app, by }),
    (reason) => refused(reason, { account, by }),
  );
  if (!outcome.ok) return outcome;
  // A dry run stores nothing that this password would open.
  return { ok: true, result: { name: account, app, password: parts.isDry === true ? "" : password } };
}

async function remove(parts: AppPasswordParts, { account, app, by }: Named): Promise<Reply<"app_password_remove">> {
  const outcome = await recordFirst(
    parts,
    () => parts.appPasswords.removeAppPassword(account, app),
    () => audit(parts, "APP_PASSWORD_REMOVED", { account, app, by }),
    (reason) => refused(reason, { account, by }),
  );
  if (!outcome.ok) return outcome;
  return (await endSessions(parts, account)) ?? { ok: true, result: { name: account, app } };
}

function audit(
  { engine }: AppPasswordParts,
  type: "APP_PASSWORD_MADE" | "APP_PASSWORD_REMOVED",
  { account, app, by }: Named,
): Promise<boolean> {
  return engine.audit({ type, subject: `${app} of ${account}`, account, by });
}

/** Users, the web and root see them in different places. */
function refused(reason: string, { account, by }: Omit<Named, "app">): CommandError {
  const page = isMailboxUser(by) ? "Your page My mailbox" : "The page of the account (GET …/app-passwords)";
  const lists = `\`account list\` shows the accounts, \`account app-password list ${account}\` the app passwords.`;
  return failed(reason, isRootUser(by) ? lists : `${page} shows them.`);
}

const WRONG_NAME = usage(
  `An app password is named by 1 to ${APP_PASSWORD_NAME} letters, digits, spaces, dots or dashes.`,
  "Name it after the device, such as phone.",
);
