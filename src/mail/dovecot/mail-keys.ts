import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { accessSync, constants, existsSync, readFileSync, readlinkSync } from "node:fs";
import { dirname } from "node:path";
import { failureOf, messageOf, nullOn } from "../../core/error.ts";
import type { Failed } from "../../guard/ports.ts";
import { Directory } from "../../host/root-files/directory.ts";
import { isInMemory } from "../../host/root-files/disks.ts";
import { readNamed, removeFile, replaceLink, writeFile } from "../../host/root-files/files.ts";
import type { Layout } from "../../settings/layout.ts";
import type { MailCrypt, Site } from "../configuration/site.ts";
import { mailKeyConf } from "./mail-crypt.ts";

/** Among the curves that Dovecot's dcrypt knows, the one that it prefers for speed (NIST P-256). */
const CURVE = "prime256v1";
const MOST_KEY_BYTES = 64 * 1024;

type Prepared = Readonly<{ ok: true; changed: boolean }> | Failed;
type KeyPair = Pick<MailCrypt, "publicKey" | "privateKey">;
type KeyFiles = Pick<Layout, "mailKeyConf" | "mailKeyLink" | "mailKeyUnread" | "mailRecoveryKey" | "mailPrivateKey">;
type KeySite = Pick<Site, "mailCrypt"> & Readonly<{ layout: KeyFiles }>;

/**
 * Creates the keys when encryption is enabled for the first time, and gives Dovecot the private one if it exists.
 * Never creates a second pair: mail encrypted with the first could not be read. `changed`: whether the private key appeared or disappeared,
 * before which `changing` is called.
 */
export function prepareMailKeys(
  { mailCrypt: crypt, layout }: Pick<Site, "mailCrypt" | "layout">,
  isStarting = false,
  changing: () => void = () => undefined,
): Prepared {
  // Dovecot starts next, and reads the key then.
  if (isStarting) removeFile(layout.mailKeyUnread);
  if (crypt === null) return { ok: true, changed: false };
  // Without the recovery key no account gets a key (surfaces/cli/verbs/accounts/account-keys.ts): a start continues, with a notice.
  const refused = isStarting ? null : whyNoNewKeys({ mailCrypt: crypt, layout });
  if (refused !== null) return { ok: false, reason: refused };
  try {
    if (!existsSync(layout.mailNoKey)) writeFile(layout.mailNoKey, newPrivateKey(), { mode: 0o600 });
    if (!existsSync(crypt.publicKey)) {
      // An existing private key, as after a restored disk, stays.
      if (!existsSync(crypt.privateKey)) writeFile(crypt.privateKey, newPrivateKey(), { mode: 0o600 });
      writeFile(crypt.publicKey, publicHalfOf(crypt.privateKey), { mode: 0o600 });
    }
    // A start continues without the key: mail arrives, and a notice says what is wrong.
    const reason = isStarting ? null : whyMismatched(crypt);
    return reason === null ? { ok: true, changed: placeMailKey(crypt, layout, changing) } : { ok: false, reason };
  } catch (error) {
    const why = messageOf(error);
    return { ok: false, reason: `The keys that encrypt mail could not be prepared (mailboxes.encryption*): ${why}` };
  }
}

/** Why encryption must not be enabled yet: the owner could lose all mail. Null if it may be. */
export function whyNoNewKeys({ mailCrypt: crypt, layout }: KeySite): string | null {
  return lacksRecoveryKey(crypt, layout) ? NO_RECOVERY : whyNoServerKey({ mailCrypt: crypt, layout });
}

/** Whether accounts get no keys although each should have one, so that the server's key encrypts their mail. */
export function lacksRecoveryKey(crypt: Site["mailCrypt"], layout: KeyFiles): boolean {
  return crypt?.byAccount === true && !existsSync(layout.mailRecoveryKey);
}

/** Why the server has no key to encrypt mail with and may not make one. Null if it has one or may. */
export function whyNoServerKey({ mailCrypt: crypt, layout }: KeySite): string | null {
  if (crypt === null || existsSync(crypt.publicKey)) return null;
  const { publicKey, privateKey } = crypt;
  if (existsSync(privateKey)) return unlessUnreadable(privateKey, () => publicHalfOf(privateKey) && null);
  // A reboot could lose a key that was made there, and all mail with it, before the owner has a copy.
  if (isInMemory(privateKey) && !isInMemory(publicKey))
    return `No key is made at ${privateKey} (mailboxes.encryption_key), where a reboot would lose it. Make it elsewhere (openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out FILE) and copy it there.`;
  // The first start makes the default key's directory.
  return privateKey === layout.mailPrivateKey ? null : whyUnwritable(dirname(privateKey));
}

function whyUnwritable(directory: string): string | null {
  if (!existsSync(directory)) return `The directory ${directory} of mailboxes.encryption_key does not exist.`;
  try {
    using own = Directory.own(directory);
    // A mount may be read-only for root too.
    accessSync(own.path, constants.W_OK);
    return null;
  } catch (error) {
    return `No key can be made in ${directory} (mailboxes.encryption_key): ${messageOf(error)}`;
  }
}

/** For a server that should encrypt but lost its key before the first use: mail is stored unencrypted, as before. */
export function withoutLostKey<S extends KeySite>(site: S): S {
  return whyNoServerKey(site) === null ? site : { ...site, mailCrypt: null };
}

/**
 * Adds the private key to Dovecot's configuration while the right one exists, otherwise removes it. Writes only what differs. Returns
 * whether the key appeared or disappeared. If it only has a new path, the next start or reload reads it from there. `changing` records
 * first that Dovecot must be restarted.
 */
export function placeMailKey(
  crypt: KeyPair,
  { mailKeyConf: conf, mailKeyLink: link, mailKeyUnread: unread }: KeyFiles,
  // Failures are ignored, because a full disk must not keep a removed key in use.
  changing: () => void = () => void failureOf(() => writeFile(unread, "", { mode: 0o600 })),
): boolean {
  const wasThere = existsSync(conf);
  const isLocked = lockedBecause(crypt) !== null;
  if (wasThere === isLocked) changing();
  if (isLocked) {
    if (wasThere) removeFile(conf);
    return wasThere;
  }
  // The link first, because Dovecot does not start if its configuration names a missing file. The path may hold something else.
  const target = nullOn(["ENOENT", "EINVAL"], () => readlinkSync(link));
  if (target !== crypt.privateKey) replaceLink(crypt.privateKey, link);
  const text = mailKeyConf(link);
  if (textIfThere(conf) !== text) writeFile(conf, text, { mode: 0o600 });
  return !wasThere;
}

/** Why encrypted mail cannot be read: the private key is missing, incomplete, or a different one. Null if it can. */
export function lockedBecause(crypt: KeyPair): string | null {
  const { privateKey } = crypt;
  if (!existsSync(privateKey)) return `The private key ${privateKey} does not exist.`;
  return unlessUnreadable(privateKey, () => whyMismatched(crypt));
}

function unlessUnreadable(privateKey: string, look: () => string | null): string | null {
  try {
    return look();
  } catch (error) {
    return `${privateKey} holds no private key that can be read: ${messageOf(error)}.`;
  }
}

/** The public half of a private key in PEM; throws if Dovecot could not read the text as such a key, and so would deliver no mail. */
export function publicHalf(privateKey: string): string {
  const key = createPrivateKey(privateKey);
  if (!privateKey.startsWith("-----BEGIN PRIVATE KEY-----") || !["ec", "rsa"].includes(key.asymmetricKeyType ?? ""))
    throw new Error("Dovecot reads only EC and RSA keys in PKCS #8 (to convert one: openssl pkey -in FILE -out NEW)");
  return createPublicKey(key).export({ type: "spki", format: "pem" });
}

/** The SHA-256 of a public key (DER), in hexadecimal. */
export function fingerprint(publicKey: string): string {
  const der = createPublicKey(publicKey).export({ type: "spki", format: "der" });
  return createHash("sha256").update(der).digest("hex");
}

const NO_RECOVERY =
  "Without a recovery key, an account whose password is forgotten loses all its mail (mailboxes.encryption). Make one first: run `encryption recovery-key` while mailboxes.encryption is `server` or `off`.";

function publicHalfOf(privateKey: string): string {
  return publicHalf(readNamed(privateKey, MOST_KEY_BYTES).toString());
}

function newPrivateKey(): string {
  return generateKeyPairSync("ec", { namedCurve: CURVE }).privateKey.export({ type: "pkcs8", format: "pem" });
}

/** Checks that the keys match: no other private key could read mail that the public key encrypts. */
function whyMismatched({ publicKey, privateKey }: KeyPair): string | null {
  const text = textIfThere(privateKey);
  if (text === null || fingerprint(publicHalf(text)) === fingerprint(readFileSync(publicKey, "utf8"))) return null;
  return `The private key ${privateKey} does not match the public key with which mail was encrypted: put the matching one there.`;
}

function textIfThere(file: string): string | null {
  return nullOn(["ENOENT"], () => readNamed(file, MOST_KEY_BYTES).toString());
}
