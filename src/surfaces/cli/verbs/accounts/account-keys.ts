import { createPrivateKey, type KeyObject } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { type AccountKey, KEYS_OF_AN_ACCOUNT } from "../../../../admin/declare/account-key.ts";
import { messageOf } from "../../../../core/error.ts";
import { plural } from "../../../../core/text.ts";
import { lockAgain, makeAccountKey, recoverKey } from "../../../../store/passwords/account-key.ts";
import { type Call, type Failure, failed, PROGRAM, type Reader } from "../../call.ts";
import { oneLine } from "../../print/text.ts";
import { settingsOf } from "../../server-settings.ts";

/** `recovers`: the account already had these keys. `lockedKeys`: how many of its oldest keys no password opens any more. */
type Keys = Readonly<{ ok: true; keys: readonly AccountKey[]; recovers: boolean; lockedKeys: number }>;

/**
 * The keys for the mail of an account that gets this password: its previous ones, if the recovery key was given and opens them,
 * otherwise a new one if `mailboxes.encryption` requires it (docs/encryption.md).
 */
export async function keysFor(
  call: Call,
  reader: Reader,
  { name, password, recoveryKey }: Readonly<{ name: string; password: string; recoveryKey: KeyObject | null }>,
): Promise<Keys | Failure> {
  const stored = reader.accountKeys(name);
  if (recoveryKey !== null && stored.length > 0) {
    const keys = await lockAgain(stored.slice(0, KEYS_OF_AN_ACCOUNT), recoveryKey, password);
    return keys === null
      ? wrongRecoveryKey(name)
      : { ok: true, keys, recovers: true, lockedKeys: stored.length - keys.length };
  }
  const getsKey = getsKeys(call);
  if (typeof getsKey !== "boolean") return getsKey;
  const keys = getsKey ? [await makeAccountKey(password, readFileSync(call.layout.mailRecoveryKey, "utf8"))] : [];
  return { ok: true, keys, recovers: false, lockedKeys: Math.max(stored.length + keys.length - KEYS_OF_AN_ACCOUNT, 0) };
}

/** Whether an account gets a new key with a new password. */
function getsKeys(call: Call): boolean | Failure {
  const read = settingsOf(call);
  if (!read.ok) return read;
  return read.settings["mailboxes.encryption"] === "account" && existsSync(call.layout.mailRecoveryKey);
}

/** Why an account should get no new key, if with one more no password would open its oldest. Otherwise null. */
export function whyNoMoreKeys(call: Call, reader: Reader, name: string): Failure | null {
  if (call.option("recovery-key") !== null) return null;
  const getsKey = getsKeys(call);
  if (typeof getsKey !== "boolean") return getsKey;
  const { length } = reader.accountKeys(name);
  if (!getsKey || length < KEYS_OF_AN_ACCOUNT) return null;
  return failed(
    `${name} has ${plural(length, "key")}, and a password opens at most ${KEYS_OF_AN_ACCOUNT}: with another one, its oldest mail could no longer be read.`,
    "Keep the keys that it has: --recovery-key FILE",
  );
}

/** What to do about keys that no password opens any more; empty if there are none. */
export function lockedKeysText(name: string, lockedKeys: number): string {
  if (lockedKeys === 0) return "";
  const what = lockedKeys === 1 ? "Its oldest key stays" : `Its ${lockedKeys} oldest keys stay`;
  const command = `${PROGRAM} backup restore --account ${name} --message ID --recovery-key FILE`;
  return ` ${what} locked: a password opens only ${KEYS_OF_AN_ACCOUNT}; to read a mail of that time: ${command}`;
}

/** The private keys of an account in PEM, for a program that reads its mail. Empty if it has no key. */
export async function privateKeysOf(call: Call, name: string): Promise<readonly string[] | Failure> {
  const opened = await call.reader();
  if (!opened.ok) return opened;
  const stored = opened.reader.accountKeys(name);
  if (stored.length === 0) return [];
  const recoveryKey = recoveryKeyOf(call);
  if (recoveryKey === null)
    return failed(`The mail of ${name} is encrypted with its own keys.`, "Give the recovery key: --recovery-key FILE");
  if ("ok" in recoveryKey) return recoveryKey;
  const keys = stored.map((key) => recoverKey(key, recoveryKey)).filter((key) => key !== null);
  return keys.length === stored.length ? keys : wrongRecoveryKey(name);
}

/** The key from the option `--recovery-key`; null if it was not given. */
export function recoveryKeyOf(call: Call): KeyObject | Failure | null {
  const file = call.option("recovery-key");
  if (file === null) return null;
  try {
    return createPrivateKey(readFileSync(file, "utf8"));
  } catch (error) {
    return failed(`${oneLine(file)} holds no recovery key that can be read: ${oneLine(messageOf(error))}.`, "");
  }
}

function wrongRecoveryKey(name: string): Failure {
  const next = `\`${PROGRAM} encryption recovery-key\` showed the right one when it was made.`;
  return failed(`This is another recovery key: it does not open the mail of ${name}. Nothing was changed.`, next);
}
