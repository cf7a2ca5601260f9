import { existsSync } from "node:fs";
import { makeRecoveryKeys } from "../../../adapters/accounts/account-key.ts";
import { type Verified, verifyByDovecot } from "../../../adapters/accounts/dovecot-password.ts";
import { verifyPassword } from "../../../adapters/accounts/password-hash.ts";
import { writeFile } from "../../../adapters/root-files/files.ts";
import { MAX_PASSWORD_BYTES } from "../../../core/passwords/rule.ts";
import {
  type CommandCall,
  type CommandFailure,
  type CommandOutcome,
  done,
  failed,
  PROGRAM,
  wrongUsage,
} from "../../call.ts";
import { printJson } from "../../print/json.ts";
import { rootOnly } from "../upkeep/backup.ts";
import { beyondText, keysFor, recoveryKeyOf } from "./account-keys.ts";
import { accountFrom } from "./accounts.ts";

/**
 * `encryption recovery-key`: shown once, and kept nowhere. Its public half counts once the private one is written to where it was
 * asked for; as long as it encrypts nothing, another pair may take its place.
 */
export async function encryptionRecoveryKey(call: CommandCall): Promise<CommandOutcome> {
  const refused = rootOnly("encryption");
  if (refused !== null) return refused;
  const { mailRecoveryKey } = call.layout;
  const opened = await call.reader();
  if (!opened.ok) return opened;
  const replaces = existsSync(mailRecoveryKey);
  if (replaces && opened.reader.hasAccountKeys())
    return failed(
      "There is a recovery key, which accounts use: it was shown when it was made, and is not on this machine.",
      "",
    );
  const { publicKey, privateKey } = await makeRecoveryKeys();
  const shown = await call.terminal.outForGood(call.json ? printJson({ recoveryKey: privateKey }) : privateKey);
  if (!shown.ok)
    return failed(`The recovery key could not be written out: ${shown.reason}. Nothing was changed.`, AGAIN);
  const { fingerprint } = await import("../../../daemon/set-up/mail-keys.ts");
  const made = { verb: "recovery_key_made", fingerprint: fingerprint(publicKey) } as const;
  const asked = await call.guard.ask<"recovery_key_made">(made);
  if (!asked.ok) return { ...asked, message: `${asked.message} The key that was just shown counts for nothing.` };
  writeFile(mailRecoveryKey, publicKey, { mode: 0o600 });
  if (replaces) call.terminal.err("It takes the place of the recovery key that was made before, which opens nothing.");
  if (call.terminal.interactive && !call.json) call.terminal.err(ADVICE);
  const next = `${PROGRAM} config set mailboxes.encryption account && ${PROGRAM} config apply`;
  return done(undefined, "", next);
}

const AGAIN = `Make one again: ${PROGRAM} encryption recovery-key`;
const ADVICE =
  "Keep this outside this machine: it is not shown again. Only with it can you give an account whose password is forgotten its mail back.";

/** `encryption recover ADDRESS`: its password of now opens the keys that it had, as many as Dovecot takes. */
export async function encryptionRecover(call: CommandCall): Promise<CommandOutcome> {
  const name = accountFrom(call.args[0]);
  if (typeof name !== "string") return name;
  const running = await call.guard.ask<"ping">({ verb: "ping" });
  if (!running.ok) return running;
  const recoveryKey = recoveryKeyOf(call);
  if (recoveryKey === null)
    return wrongUsage("Without the recovery key nothing can be opened.", "Give it with --recovery-key FILE.");
  if ("ok" in recoveryKey) return recoveryKey;
  const opened = await call.reader();
  if (!opened.ok) return opened;
  const hash = opened.reader.accountPassword(name);
  if (hash === null) return failed(`There is no account ${name}.`, `\`${PROGRAM} account list\` shows them.`);
  if (opened.reader.accountKeys(name).length === 0) return failed(`${name} never had its own key.`, "");
  const password = await typed(call, name);
  if (typeof password !== "string") return password;
  const verified = await verify(name, hash, password);
  if (verified.is === "unknown")
    return failed(`The password of ${name} could not be verified: ${verified.reason}. Nothing was changed.`, "");
  if (verified.is === "wrong")
    return failed(
      `This is not the password of ${name}. Nothing was changed.`,
      `Set a new one: ${PROGRAM} account passwd ${name} --recovery-key FILE`,
    );
  const found = await keysFor(call, { name, password }, recoveryKey);
  if (!found.ok) return found;
  const { keys, beyond } = found;
  const asked = await call.guard.ask<"mail_keys_recover">({ verb: "mail_keys_recover", name, hash, keys });
  if (!asked.ok) return asked;
  return done(
    { name, keys: keys.length, closed: beyond },
    `${name} can read ${beyond === 0 ? "all its mail" : "its newer mail"} again; its open sessions were ended.${beyondText(name, beyond)}`,
    `${PROGRAM} encryption show`,
  );
}

/** Hashes in different schemes come from the accounts file or another server. */
async function verify(name: string, hash: string, password: string): Promise<Verified> {
  if (!hash.startsWith("{ARGON2ID}")) return verifyByDovecot(name, hash, password);
  return { is: (await verifyPassword(hash, password)) ? "right" : "wrong" };
}

async function typed(call: CommandCall, name: string): Promise<string | CommandFailure> {
  const { terminal } = call;
  if (call.flag("password-stdin"))
    return (await terminal.readLine(MAX_PASSWORD_BYTES + 2)) ?? failed("Standard input held no password.", "");
  if (!terminal.interactive)
    return wrongUsage("No terminal to ask for a password.", "Give --password-stdin and the password as its input.");
  const answer = await terminal.askSecret(`Current password of ${name}: `);
  return answer ?? failed("Interrupted: nothing was changed.", "");
}
