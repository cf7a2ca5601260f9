import { existsSync, readFileSync } from "node:fs";
import { messageOf } from "../../../../core/error.ts";
import { asSentence } from "../../../../core/text.ts";
import { removeFile, writeFile } from "../../../../host/root-files/files.ts";
import { type MailCrypt, mailCryptOf } from "../../../../mail/configuration/site.ts";
import { fingerprint, lockedBecause, placeMailKey, publicHalf } from "../../../../mail/dovecot/mail-keys.ts";
import { makeRecoveryKeys } from "../../../../store/passwords/account-key.ts";
import { type Verified, verifyByDovecot, verifyPassword } from "../../../../store/passwords/password-hash.ts";
import {
  type Answer,
  agrees,
  type Call,
  done,
  type Failure,
  failed,
  PROGRAM,
  type Reader,
  showKey,
  whyNotSure,
  withReader,
  wrongUsage,
} from "../../call.ts";
import { passwordFrom } from "../../passwords.ts";
import { keyCountsText, MOST_NAMED } from "../../print/account-facts.ts";
import { oneLine, printJson } from "../../print/text.ts";
import { settingsOf, withSettingsWhileRunning } from "../../server-settings.ts";
import { keysFor, lockedKeysText, recoveryKeyOf } from "./account-keys.ts";
import { noAccount, ofAccountWithReader } from "./accounts.ts";

export const encryptionShow = withCrypt(async (call, crypt) => {
  const { encrypts, byAccount, privateKey } = crypt;
  const print = fingerprint(readFileSync(crypt.publicKey, "utf8"));
  const isGiven = existsSync(call.layout.mailKeyConf);
  const locked = lockedBecause(crypt) ?? (isGiven ? null : "Dovecot is given the private key within seconds.");
  const opened = await call.reader();
  if (!opened.ok) return opened;
  const own = opened.reader.countKeys(MOST_NAMED);
  const it = byAccount ? "What the server's key encrypts" : "It";
  const lines = [
    encrypts ? "New mail is encrypted." : "New mail is not encrypted; mail that was encrypted before stays encrypted.",
    locked === null ? `${it} can be read: the private key is in ${privateKey}.` : `${it} cannot be read. ${locked}`,
    `SHA-256 of the public key: ${print}`,
  ];
  const json = { encrypts, readable: locked === null, privateKey, fingerprint: print, accounts: own };
  return done(json, [...lines, ...keyCountsText(own, byAccount)].join("\n"));
});

export const encryptionKey = withCrypt(async (call, crypt) => {
  const locked = lockedBecause(crypt);
  if (locked !== null) return failed(locked, "");
  const key = readFileSync(crypt.privateKey, "utf8");
  const advice = `${key}\nKeep this outside this machine. Without it, mail encrypted with it cannot be read, here or from a backup.`;
  const shown = { json: { key }, text: call.terminal.interactive ? advice : key.trimEnd() };
  const seen = (): void => writeFile(call.layout.mailKeySeen, "", { mode: 0o600 });
  return showKey(call, shown, { seen, again: `${PROGRAM} encryption key` });
});

export const encryptionLock = withCrypt(async (call, crypt) => {
  const { privateKey } = crypt;
  const again = "It is locked already. Restart Dovecot, in case it still has the key? That ends all sessions.";
  if (!existsSync(privateKey))
    return (
      (await whyNotSure(call, again, "nothing was restarted")) ??
      (await restart(call, crypt)) ??
      done({ locked: true }, "It is locked already. Dovecot was restarted, in case it still had the key.")
    );
  if (!existsSync(call.layout.mailKeySeen))
    return failed(
      "The private key was never displayed, so it would be lost forever.",
      `Keep it first: ${PROGRAM} encryption key`,
    );
  const question = `Delete ${privateKey}? Users cannot read what it encrypted until you give the key back.`;
  if (!call.flag("yes") && !(await agrees(call, question)))
    return failed("Nothing was locked.", "--yes locks it without a question.");
  removeFile(privateKey);
  const text = "Locked: mail arrives, and what the server's key encrypts cannot be read.";
  return (await restart(call, crypt)) ?? done({ locked: true }, text, `${PROGRAM} encryption unlock FILE`);
});

export const encryptionUnlock = withCrypt(async (call, crypt) => {
  const { privateKey, publicKey } = crypt;
  const file = call.args[0] ?? "";
  let key: string;
  try {
    key = readFileSync(file, "utf8");
    if (fingerprint(publicHalf(key)) !== fingerprint(readFileSync(publicKey, "utf8")))
      return failed("This is another private key: it does not open the mail of this server.", "");
  } catch (error) {
    return failed(`${oneLine(file)} holds no private key that can be read: ${oneLine(messageOf(error))}.`, "");
  }
  writeFile(privateKey, key, { mode: 0o600 });
  const text = "Unlocked: mail can be read again.";
  return (await restart(call, crypt)) ?? done({ locked: false }, text, `${PROGRAM} encryption show`);
});

/** A command about the server's key, which exists only if mail is encrypted. */
function withCrypt(run: (call: Call, crypt: MailCrypt) => Promise<Answer>) {
  return withSettingsWhileRunning(async (call, { settings }) => {
    const crypt = mailCryptOf(settings, call.layout);
    // The keys do not exist before the settings are applied.
    if (crypt !== null && existsSync(crypt.publicKey)) return run(call, crypt);
    const next = `${PROGRAM} config set mailboxes.encryption server && ${PROGRAM} config apply`;
    return done({ encrypts: false }, "Mail is not encrypted on the disk.", next);
  });
}

/** Restarts Dovecot with the key that exists now, or without one; open sessions end. Null on success. */
async function restart({ layout, keeper }: Call, crypt: MailCrypt): Promise<Failure | null> {
  const failure = (reason: string): Failure =>
    failed(
      `Dovecot keeps its old settings: ${asSentence(reason)}`,
      `Once \`${PROGRAM} status\` shows no problem, try again.`,
    );
  try {
    placeMailKey(crypt, layout);
  } catch (error) {
    // The keeper may be doing the same right now; in any case it does so within seconds.
    return failure(oneLine(messageOf(error)));
  }
  const asked = await keeper.ask({ verb: "restart", service: "dovecot" });
  return asked.ok ? null : failure(asked.reason);
}

/**
 * `encryption recovery-key`: shows a new private key once and keeps it nowhere. Its public half is stored only after the private key
 * was written out. As long as it encrypts nothing, another pair may replace it.
 */
export const encryptionRecoveryKey = withReader(async (call, reader) => {
  const { mailRecoveryKey } = call.layout;
  const refused = whyNoRecoveryKey(call, reader);
  if (refused !== null) return refused;
  const { publicKey, privateKey } = await makeRecoveryKeys();
  const shown = await call.terminal.outForGood(call.json ? printJson({ recoveryKey: privateKey }) : privateKey);
  if (!shown.ok)
    return failed(`The recovery key could not be written out: ${shown.reason}. Nothing was changed.`, AGAIN);
  const subject = fingerprint(publicKey);
  const asked = await call.guard.ask({ verb: "record", type: "RECOVERY_KEY_MADE", subject });
  // Looks again, because an account may have got a key by now that only the previous recovery key opens.
  const unfit = asked.ok ? whyNoRecoveryKey(call, reader) : asked;
  if (unfit !== null) return { ...unfit, message: `${unfit.message} Discard the key that was just shown.` };
  const replaces = existsSync(mailRecoveryKey);
  writeFile(mailRecoveryKey, publicKey, { mode: 0o600 });
  if (replaces) call.terminal.err("It replaces the previous recovery key, which opens nothing.");
  if (call.terminal.interactive && !call.json) call.terminal.err(ADVICE);
  const next = `${PROGRAM} config set mailboxes.encryption account && ${PROGRAM} config apply`;
  return done(undefined, "", next);
});

function whyNoRecoveryKey(call: Call, reader: Reader): Failure | null {
  const { mailRecoveryKey } = call.layout;
  const hasRecoveryKey = existsSync(mailRecoveryKey);
  if (reader.hasAccountKeys())
    return hasRecoveryKey
      ? failed(
          "There is a recovery key, which accounts use: it was shown when it was made, and is not on this machine.",
          "",
        )
      : failed(
          "Accounts use a recovery key that this machine no longer has. No second one is made: if an account's mail used both, neither key could open all of it.",
          `Make its public half from the key that was shown: openssl pkey -in FILE -pubout -out ${mailRecoveryKey}`,
        );
  const read = settingsOf(call);
  if (!read.ok) return read;
  // A command that is adding an account may already have read the current one.
  return hasRecoveryKey && read.settings["mailboxes.encryption"] === "account"
    ? failed(
        "There is a recovery key, and new accounts use it while mailboxes.encryption is `account`.",
        `To replace it, first: ${PROGRAM} config set mailboxes.encryption server && ${PROGRAM} config apply`,
      )
    : null;
}

const AGAIN = `Make one again: ${PROGRAM} encryption recovery-key`;
const ADVICE =
  "Keep this outside this machine: it is not shown again. Without it, an account whose password is forgotten loses its mail.";

export const encryptionRecover = ofAccountWithReader(async (call, name, reader) => {
  const recoveryKey = recoveryKeyOf(call);
  if (recoveryKey === null)
    return wrongUsage("Without the recovery key nothing can be opened.", "Give it with --recovery-key FILE.");
  if ("ok" in recoveryKey) return recoveryKey;
  const hash = reader.password(name);
  if (hash === null) return noAccount(name);
  if (reader.accountKeys(name).length === 0) return failed(`${name} never had its own key.`, "");
  const password = await passwordFrom(call, `Current password of ${name}: `, false);
  if (typeof password !== "string") return password;
  // Hashes in different schemes come from the accounts file or another server.
  const verified: Verified = hash.startsWith("{ARGON2ID}")
    ? { is: (await verifyPassword(hash, password)) ? "right" : "wrong" }
    : await verifyByDovecot(name, hash, password);
  if (verified.is === "unknown")
    return failed(`The password of ${name} could not be verified: ${verified.reason}. Nothing was changed.`, "");
  if (verified.is === "wrong")
    return failed(
      `This is not the password of ${name}. Nothing was changed.`,
      `Set a new one: ${PROGRAM} account passwd ${name} --recovery-key FILE`,
    );
  const found = await keysFor(call, reader, { name, password, recoveryKey });
  if (!found.ok) return found;
  const { keys, lockedKeys } = found;
  const asked = await call.guard.ask({ verb: "mail_keys_recover", name, hash, keys });
  if (!asked.ok) return asked;
  const opened = lockedKeys === 0 ? "all its mail" : "its newer mail";
  const text = `${name} can read ${opened} again; its open sessions were ended.${lockedKeysText(name, lockedKeys)}`;
  return done({ name, keys: keys.length, closed: lockedKeys }, text, `${PROGRAM} encryption show`);
});
