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
import { lockKey } from "./locked-key.ts";

/** Of the curves that Dovecot's dcrypt knows, the one that it prefers for speed (NIST P-256). */
const CURVE = "prime256v1";
/** Of the recovery key: 128 bits of security (NIST SP 800-57 part 1, table 2), and room for a whole key of an account. */
const RECOVERY_BITS = 3_072;
const OAEP = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" } as const;

const generate = promisify(generateKeyPair);

/** The keys of the owner, in PEM: with the public half each account's key is kept, with the private one it is opened. */
export async function makeRecoveryKeys(): Promise<Readonly<{ publicKey: string; privateKey: string }>> {
  const pair = await generate("rsa", { modulusLength: RECOVERY_BITS });
  return {
    publicKey: pair.publicKey.export({ type: "spki", format: "pem" }),
    privateKey: pair.privateKey.export({ type: "pkcs8", format: "pem" }),
  };
}

/** New keys of an account, which its password opens, or the private half of this recovery key (PEM). */
export async function makeAccountKey(password: string, recoveryKey: string): Promise<AccountKey> {
  const pair = await generate("ec", { namedCurve: CURVE });
  const privateKey = pair.privateKey.export({ type: "pkcs8", format: "der" });
  return {
    id: idOf(pair.publicKey),
    publicKey: base64(pair.publicKey.export({ type: "spki", format: "pem" })),
    locked: base64(await lockKey(privateKey, passphrase(password))),
    recoverable: publicEncrypt({ key: recoveryKey, ...OAEP }, privateKey).toString("base64"),
  };
}

/** The private key of an account in PEM; null if this recovery key does not open it. */
export function recoverKey({ id, recoverable }: AccountKey, recoveryKey: KeyObject): string | null {
  try {
    const opened = privateDecrypt({ key: recoveryKey, ...OAEP }, Buffer.from(recoverable, "base64"));
    const key = createPrivateKey({ key: opened, format: "der", type: "pkcs8" });
    return idOf(createPublicKey(key)) === id ? key.export({ type: "pkcs8", format: "pem" }) : null;
  } catch {
    return null;
  }
}

/** The same key for another password; null if this recovery key does not open it. */
export async function lockAgain(key: AccountKey, recoveryKey: KeyObject, password: string): Promise<AccountKey | null> {
  const opened = recoverKey(key, recoveryKey);
  if (opened === null) return null;
  const privateKey = createPrivateKey(opened).export({ type: "pkcs8", format: "der" });
  const { id, publicKey, recoverable } = key;
  return { id, publicKey, locked: base64(await lockKey(privateKey, passphrase(password))), recoverable };
}

/** What Dovecot makes of a password to open its key: `%{sha256:password}`. So the password itself reaches no other process. */
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
