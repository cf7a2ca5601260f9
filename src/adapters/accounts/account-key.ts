import {
  constants,
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
} from "node:crypto";
import { promisify } from "node:util";
import type { AccountKey } from "../../wire/control/account-key.ts";
import { lockOf } from "./locked-key.ts";

/** The curve that Dovecot's dcrypt prefers for speed (NIST P-256). */
const CURVE = "prime256v1";
/** For the recovery key: 128 bits of security (NIST SP 800-57 part 1, table 2), and room for a whole account key. */
const RECOVERY_BITS = 3_072;
const OAEP = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" } as const;

const generate = promisify(generateKeyPair);

/** The owner's keys, in PEM: the public half encrypts each account's key, the private half opens it. */
export async function makeRecoveryKeys(): Promise<Readonly<{ publicKey: string; privateKey: string }>> {
  const pair = await generate("rsa", { modulusLength: RECOVERY_BITS });
  return {
    publicKey: pair.publicKey.export({ type: "spki", format: "pem" }),
    privateKey: pair.privateKey.export({ type: "pkcs8", format: "pem" }),
  };
}

/** Makes an account's keys, which its password or the private half of this recovery key (PEM) opens. */
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
  return createHash("sha256").update(password).digest("hex");
}

function idOf(publicKey: KeyObject): string {
  return createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest("hex");
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
