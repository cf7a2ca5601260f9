import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { messageOf, nullOn } from "../../core/error.ts";
import { readNamed, removeFile, replaceLink, writeFile } from "../../host/root-files/files.ts";
import type { Layout } from "../../settings/layout.ts";
import type { MailCrypt, Site } from "../configuration/site.ts";
import { mailKeyConf } from "./mail-crypt.ts";

/** Among the curves that Dovecot's dcrypt knows, the one that it prefers for speed (NIST P-256). */
const CURVE = "prime256v1";
const MOST_KEY_BYTES = 64 * 1024;

type Prepared = Readonly<{ ok: true; changed: boolean }> | Readonly<{ ok: false; reason: string }>;
type KeyPair = Pick<MailCrypt, "publicKey" | "privateKey">;
type KeyFiles = Pick<Layout, "mailKeyConf" | "mailKeyLink" | "mailRecoveryKey" | "mailNoKey">;
type KeySite = Pick<Site, "mailCrypt"> & Readonly<{ layout: KeyFiles }>;

/**
 * Creates the keys when encryption is enabled for the first time, and gives Dovecot the private one if it exists.
 * Never creates a second pair: mail encrypted with the first could not be read. `changed`: whether the private key appeared or disappeared.
 */
export function prepareMailKeys({ mailCrypt: crypt, layout }: KeySite, isStarting = false): Prepared {
  if (crypt === null) return { ok: true, changed: false };
  if (crypt.byAccount && !existsSync(layout.mailRecoveryKey)) return { ok: false, reason: NO_RECOVERY };
  try {
    if (!existsSync(layout.mailNoKey)) writeFile(layout.mailNoKey, newPrivateKey(), { mode: 0o600 });
    if (!existsSync(crypt.publicKey)) {
      const wouldBeLost = isInMemory(crypt.privateKey) && !isInMemory(crypt.publicKey);
      if (wouldBeLost && !existsSync(crypt.privateKey)) return { ok: false, reason: notInMemory(crypt.privateKey) };
      makeKeys(crypt);
    }
    // A start continues without the key: mail arrives, and a notice says what is wrong.
    const reason = isStarting ? null : mismatch(crypt);
    return reason === null ? { ok: true, changed: placeMailKey(crypt, layout) } : { ok: false, reason };
  } catch (error) {
    const why = messageOf(error);
    return { ok: false, reason: `The keys that encrypt mail could not be prepared (mailboxes.encryption*): ${why}` };
  }
}

/**
 * Adds the private key to Dovecot's configuration, as long as the right one exists. Writes only what differs. Returns whether
 * the key appeared or disappeared: the same key at a different place is read from there by the next start or reload.
 */
export function placeMailKey(
  crypt: KeyPair,
  { mailKeyConf: conf, mailKeyLink: link }: Pick<Layout, "mailKeyConf" | "mailKeyLink">,
): boolean {
  const wasThere = existsSync(conf);
  if (lockedBecause(crypt) !== null) {
    if (wasThere) removeFile(conf);
    return wasThere;
  }
  // The link first: with a configuration that names a missing file Dovecot does not start.
  if (targetOf(link) !== crypt.privateKey) replaceLink(crypt.privateKey, link);
  const text = mailKeyConf(link);
  if (textOf(conf) !== text) writeFile(conf, text, { mode: 0o600 });
  return !wasThere;
}

/** Why encrypted mail cannot be read: the private key is missing, incomplete, or a different one. Null if it can. */
export function lockedBecause(crypt: KeyPair): string | null {
  const { privateKey } = crypt;
  if (!existsSync(privateKey)) return `The private key ${privateKey} is not there.`;
  try {
    return mismatch(crypt);
  } catch (error) {
    return `${privateKey} holds no private key that can be read: ${messageOf(error)}.`;
  }
}

/** The public half of a private key in PEM; throws if the text is not such a key. */
export function publicHalf(privateKey: string): string {
  return createPublicKey(createPrivateKey(privateKey)).export({ type: "spki", format: "pem" });
}

/** The SHA-256 of a public key (DER), in hexadecimal. */
export function fingerprint(publicKey: string): string {
  const der = createPublicKey(publicKey).export({ type: "spki", format: "der" });
  return createHash("sha256").update(der).digest("hex");
}

const NO_RECOVERY =
  "A forgotten password would lose all mail of its account (mailboxes.encryption): make the key that opens them first, by `encryption recovery-key`, while the server runs with `server` or `off`.";

/** An existing private key, as after a restored disk, stays. */
/** By the usual places: a reboot loses such a file. */
export function isInMemory(path: string): boolean {
  return /^\/((var\/)?run|dev\/shm)\//.test(path);
}

/** A reboot could lose a key that was made there before its owner has it, and with it all mail. */
function notInMemory(path: string): string {
  return `No key is made at ${path} (mailboxes.encryption_key), where a reboot would lose it. Make it elsewhere and copy it there: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`;
}

function makeKeys({ publicKey, privateKey }: MailCrypt): void {
  if (!existsSync(privateKey)) writeFile(privateKey, newPrivateKey(), { mode: 0o600 });
  writeFile(publicKey, publicHalf(readNamed(privateKey, MOST_KEY_BYTES).toString()), { mode: 0o600 });
}

function newPrivateKey(): string {
  return generateKeyPairSync("ec", { namedCurve: CURVE }).privateKey.export({ type: "pkcs8", format: "pem" });
}

/** Null if there is none, or if something else has its name. */
function targetOf(link: string): string | null {
  return nullOn(["ENOENT", "EINVAL"], () => readlinkSync(link));
}

/** No other private key could read what the public key encrypts. */
function mismatch({ publicKey, privateKey }: KeyPair): string | null {
  const text = textOf(privateKey);
  if (text === null || fingerprint(publicHalf(text)) === fingerprint(readFileSync(publicKey, "utf8"))) return null;
  return `The private key ${privateKey} does not fit the public one, with which mail was encrypted: put the right one there.`;
}

function textOf(file: string): string | null {
  return nullOn(["ENOENT"], () => readNamed(file, MOST_KEY_BYTES).toString());
}
