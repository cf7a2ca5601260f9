import {
  constants,
  createCipheriv,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  hash,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
  type ScryptOptions,
  scrypt,
} from "node:crypto";
import { promisify } from "node:util";
import type { AccountKey } from "../../admin/declare/account-key.ts";

/** The curve that Dovecot's dcrypt prefers for speed (NIST P-256). */
const CURVE = "prime256v1";
/** For the recovery key: 128 bits of security (NIST SP 800-57 part 1, table 2), and room for a whole account key. */
const RECOVERY_BITS = 3_072;
const OAEP = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" } as const;

const generate = promisify(generateKeyPair);
const derive = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt);

/** The owner's keys, in PEM: the public half encrypts each account's key, the private half opens it. */
export async function makeRecoveryKeys(): Promise<Readonly<{ publicKey: string; privateKey: string }>> {
  const pair = await generate("rsa", { modulusLength: RECOVERY_BITS });
  return {
    publicKey: pair.publicKey.export({ type: "spki", format: "pem" }),
    privateKey: pair.privateKey.export({ type: "pkcs8", format: "pem" }),
  };
}

/** Makes a key for an account, which its password or the private half of this recovery key (PEM) opens. */
export async function makeAccountKey(password: string, recoveryKey: string): Promise<AccountKey> {
  const pair = await generate("ec", { namedCurve: CURVE });
  const privateKey = pair.privateKey.export({ type: "pkcs8", format: "der" });
  const lock = await lockOf(passphrase(password));
  return {
    id: idOf(pair.publicKey),
    publicKey: base64(pair.publicKey.export({ type: "spki", format: "pem" })),
    locked: base64(lock(privateKey)),
    recoverable: publicEncrypt({ key: recoveryKey, ...OAEP }, privateKey).toString("base64"),
  };
}

/** Returns the private key of an account in PEM; null if this recovery key does not open it. */
export function recoverKey({ id, recoverable }: AccountKey, recoveryKey: KeyObject): string | null {
  try {
    const opened = privateDecrypt({ key: recoveryKey, ...OAEP }, Buffer.from(recoverable, "base64"));
    const key = createPrivateKey({ key: opened, format: "der", type: "pkcs8" });
    return idOf(createPublicKey(key)) === id ? key.export({ type: "pkcs8", format: "pem" }) : null;
  } catch {
    return null;
  }
}

/** Encrypts the same keys for another password; null if this recovery key does not open each of them. */
export async function lockAgain(
  keys: readonly AccountKey[],
  recoveryKey: KeyObject,
  password: string,
): Promise<readonly AccountKey[] | null> {
  const opened = keys.map((key) => recoverKey(key, recoveryKey)).filter((key) => key !== null);
  if (opened.length < keys.length) return null;
  const lock = await lockOf(passphrase(password));
  const locked = opened.map((key) => base64(lock(createPrivateKey(key).export({ type: "pkcs8", format: "der" }))));
  return keys.map(({ id, publicKey, recoverable }, i) => ({ id, publicKey, locked: locked[i] ?? "", recoverable }));
}

/** The passphrase that Dovecot derives from a password: `%{sha256:password}`. The password itself reaches no other process. */
function passphrase(password: string): string {
  return hash("sha256", password);
}

function idOf(publicKey: KeyObject): string {
  return hash("sha256", publicKey.export({ type: "spki", format: "der" }));
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

/**
 * Makes the key as costly to guess as the password's hash (OWASP, Password Storage Cheat Sheet: equivalent to Argon2id with 19 MiB
 * and two passes). A larger N would need more than the 32 MiB that OpenSSL's PKCS#8 allows scrypt.
 */
const SCRYPT = { N: 2 ** 14, r: 8, p: 5 } as const;
const SALT_BYTES = 16;
const KEY_BYTES = 32;
const IV_BYTES = 16;

const SEQUENCE = 0x30;
const INTEGER = 0x02;
const OCTET_STRING = 0x04;
const OBJECT = 0x06;
/** 1.2.840.113549.1.5.13 (RFC 8018, A.4). */
const PBES2 = Buffer.from("2a864886f70d01050d", "hex");
/** 1.3.6.1.4.1.11591.4.11 (RFC 7914, 7). */
const ID_SCRYPT = Buffer.from("2b06010401da47040b", "hex");
/** 2.16.840.1.101.3.4.1.42 (RFC 8018, B.2.5). */
const AES_256_CBC = Buffer.from("60864801650304012a", "hex");

/** Encrypts a private key (PKCS#8, DER) with a passphrase. */
type Lock = (privateKey: Buffer) => string;

/**
 * Returns a lock, whose keys are PEM of an EncryptedPrivateKeyInfo (RFC 5958, 3), which Dovecot's OpenSSL opens at a sign-in. Node
 * itself writes such keys only with 2,048 rounds of PBKDF2, which is too easy to guess. All keys that one lock encrypts share a salt,
 * so encrypting them costs no more than one key, and neither does a guess at their passphrase.
 */
export async function lockOf(passphrase: string): Promise<Lock> {
  const salt = randomBytes(SALT_BYTES);
  const derived = await derive(passphrase, salt, KEY_BYTES, SCRYPT);
  return (privateKey) => {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv("aes-256-cbc", derived, iv);
    const closed = Buffer.concat([cipher.update(privateKey), cipher.final()]);
    const cost = [SCRYPT.N, SCRYPT.r, SCRYPT.p].map((value) => der(INTEGER, unsigned(value)));
    const derivation = der(SEQUENCE, der(OBJECT, ID_SCRYPT), der(SEQUENCE, der(OCTET_STRING, salt), ...cost));
    const encryption = der(SEQUENCE, der(OBJECT, AES_256_CBC), der(OCTET_STRING, iv));
    const algorithm = der(SEQUENCE, der(OBJECT, PBES2), der(SEQUENCE, derivation, encryption));
    return pem(der(SEQUENCE, algorithm, der(OCTET_STRING, closed)));
  };
}

/** One element of DER (ITU-T X.690, 8.1) of at most 65,535 bytes. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

/** The shortest form, with a zero byte in front if the first bit is set, because that bit would make it negative. */
function unsigned(value: number): Buffer {
  const digits = value.toString(16);
  const bytes = Buffer.from(digits.padStart(digits.length + (digits.length % 2), "0"), "hex");
  return (bytes[0] ?? 0) < 0x80 ? bytes : Buffer.concat([Buffer.from([0]), bytes]);
}

function pem(content: Buffer): string {
  const lines = content.toString("base64").match(/.{1,64}/g) ?? [];
  return ["-----BEGIN ENCRYPTED PRIVATE KEY-----", ...lines, "-----END ENCRYPTED PRIVATE KEY-----", ""].join("\n");
}
