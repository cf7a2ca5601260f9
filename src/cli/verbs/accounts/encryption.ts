import { existsSync, readFileSync } from "node:fs";
import { removeFile, writeFile } from "../../../adapters/root-files/files.ts";
import { messageOf } from "../../../core/error.ts";
import type { MailCrypt } from "../../../render/site.ts";
import type { KeyCounts } from "../../../wire/control/account-key.ts";
import { type CommandCall, type CommandFailure, type CommandOutcome, done, failed, PROGRAM } from "../../call.ts";
import { agrees } from "../../confirm.ts";
import { keyCountsText, MOST_NAMED } from "../../print/mail-keys.ts";
import { oneLine } from "../../print/text.ts";
import { settingsOf } from "../settings/server-settings.ts";
import { rootOnly } from "../upkeep/backup.ts";

const keys = () => import("../../../daemon/set-up/mail-keys.ts");

/** `encryption show` */
export async function encryptionShow(call: CommandCall): Promise<CommandOutcome> {
  const read = await cryptOf(call);
  if ("ok" in read) return read;
  const { crypt } = read;
  if (crypt === null) return off();
  const { encrypts, byAccount, privateKey } = crypt;
  const { fingerprint, lockedBecause } = await keys();
  const print = fingerprint(readFileSync(crypt.publicKey, "utf8"));
  const isGiven = existsSync(call.layout.mailKeyConf);
  const locked = lockedBecause(crypt) ?? (isGiven ? null : "Dovecot is given the private key within seconds.");
  const own = await ownKeys(call);
  if ("ok" in own) return own;
  const it = byAccount ? "What the server's key encrypts" : "It";
  const lines = [
    encrypts ? "New mail is encrypted." : "New mail is not encrypted; mail that was encrypted before stays encrypted.",
    locked === null ? `${it} can be read: the private key is in ${privateKey}.` : `${it} cannot be read. ${locked}`,
    `SHA-256 of the public key: ${print}`,
  ];
  const json = { encrypts, readable: locked === null, privateKey, fingerprint: print, accounts: own };
  return done(json, [...lines, ...keyCountsText(own, byAccount)].join("\n"));
}

async function ownKeys(call: CommandCall): Promise<KeyCounts | CommandFailure> {
  const opened = await call.reader();
  return opened.ok ? opened.reader.countKeys(MOST_NAMED) : opened;
}

/** `encryption key` */
export async function encryptionKey(call: CommandCall): Promise<CommandOutcome> {
  const read = await cryptOf(call);
  if ("ok" in read) return read;
  if (read.crypt === null) return off();
  const { lockedBecause } = await keys();
  const locked = lockedBecause(read.crypt);
  if (locked !== null) return failed(locked, "");
  const key = readFileSync(read.crypt.privateKey, "utf8");
  writeFile(call.layout.mailKeySeen, "", { mode: 0o600 });
  const advice = `${key}\nKeep this outside this machine. Without it what it encrypts cannot be read, neither here nor from a backup.`;
  return done({ key }, call.terminal.interactive ? advice : key.trimEnd());
}

/** `encryption lock` */
export async function encryptionLock(call: CommandCall): Promise<CommandOutcome> {
  const read = await cryptOf(call);
  if ("ok" in read) return read;
  if (read.crypt === null) return off();
  const { privateKey } = read.crypt;
  if (!existsSync(privateKey)) return done({ locked: true }, "It is locked already.");
  if (!existsSync(call.layout.mailKeySeen))
    return failed(
      "The private key was never displayed: it would be lost for good.",
      `Keep it first: ${PROGRAM} encryption key`,
    );
  const question = `Delete ${privateKey}? Users cannot read what it encrypted until you give the key back.`;
  if (!call.flag("yes") && !(await agrees(call, question)))
    return failed("Nothing was locked.", "--yes locks it without a question.");
  removeFile(privateKey);
  const notYet = await restart(call, read.crypt);
  if (notYet !== null) return notYet;
  return done(
    { locked: true },
    "Locked: mail arrives, and what the server's key encrypts cannot be read.",
    `${PROGRAM} encryption unlock FILE`,
  );
}

/** `encryption unlock` */
export async function encryptionUnlock(call: CommandCall): Promise<CommandOutcome> {
  const read = await cryptOf(call);
  if ("ok" in read) return read;
  if (read.crypt === null) return off();
  const { privateKey, publicKey } = read.crypt;
  const { fingerprint, publicHalf } = await keys();
  const file = call.args[0] ?? "";
  let key: string;
  try {
    key = readFileSync(file, "utf8");
    if (fingerprint(publicHalf(key)) !== fingerprint(readFileSync(publicKey, "utf8")))
      return failed("This is another private key: it does not fit the mail of this server.", "");
  } catch (error) {
    return failed(`${oneLine(file)} holds no private key that can be read: ${oneLine(messageOf(error))}.`, "");
  }
  writeFile(privateKey, key, { mode: 0o600 });
  const notYet = await restart(call, read.crypt);
  if (notYet !== null) return notYet;
  return done({ locked: false }, "Unlocked: mail can be read again.", `${PROGRAM} encryption show`);
}

async function cryptOf(call: CommandCall): Promise<Readonly<{ crypt: MailCrypt | null }> | CommandFailure> {
  const refused = rootOnly("encryption");
  if (refused !== null) return refused;
  const running = await call.guard.ask<"ping">({ verb: "ping" });
  if (!running.ok) return running;
  const read = settingsOf(call);
  if (!read.ok) return read;
  const { mailCryptOf } = await import("../../../daemon/set-up/site.ts");
  const crypt = mailCryptOf(read.settings, call.layout);
  // Before the settings are applied, no keys exist.
  return { crypt: crypt !== null && existsSync(crypt.publicKey) ? crypt : null };
}

function off(): CommandOutcome {
  const next = `${PROGRAM} config set mailboxes.encryption server && ${PROGRAM} config apply`;
  return done({ encrypts: false }, "Mail is not encrypted on the disk.", next);
}

/** Dovecot reads mail with the key that is there now, and open sessions end. Null, or that it does not yet. */
async function restart({ layout, keeper }: CommandCall, crypt: MailCrypt): Promise<CommandFailure | null> {
  const { placeMailKey } = await keys();
  const failure = (reason: string): CommandFailure =>
    failed(`Dovecot keeps its old settings: ${reason}`, `\`${PROGRAM} status\` shows what is wrong.`);
  try {
    placeMailKey(crypt, layout);
  } catch (error) {
    // The keeper may do the same in this moment, and does it within seconds in any case.
    return failure(oneLine(messageOf(error)));
  }
  const asked = await keeper.ask({ verb: "restart", service: "dovecot" });
  return asked.ok ? null : failure(asked.reason);
}
