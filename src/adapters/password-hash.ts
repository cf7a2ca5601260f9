import { argon2, randomBytes, timingSafeEqual } from "node:crypto";

/**
 * OWASP Password Storage Cheat Sheet: argon2id with 19 MiB, two passes, one lane. Dovecot verifies each login with
 * these, so more memory would be a lever for whoever floods the server with logins.
 */
const PARAMETERS = { memory: 19_456, passes: 2, parallelism: 1 } as const;
const TAG_BYTES = 32;
const SALT_BYTES = 16;
/** What a stored hash may ask of this process at most: 256 MiB, ten passes, four lanes. */
const MOST = { memory: 262_144, passes: 10, parallelism: 4 } as const;

const PHC =
  /^\{ARGON2ID\}\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;

/** A PHC string with the scheme before it, as Dovecot reads it: `{ARGON2ID}$argon2id$v=19$m=…`. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const tag = await derive(password, salt, PARAMETERS, TAG_BYTES);
  const { memory, passes, parallelism } = PARAMETERS;
  return `{ARGON2ID}$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${unpadded(salt)}$${unpadded(tag)}`;
}

/** False as well for a hash of another scheme or one that asks for too much work. */
export async function verifyPassword(hash: string, password: string): Promise<boolean> {
  const parts = PHC.exec(hash);
  if (parts === null) return false;
  const [, memory, passes, parallelism, salt = "", tag = ""] = parts;
  const cost = { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) };
  if (!affordable(cost)) return false;
  const expected = Buffer.from(tag, "base64");
  return timingSafeEqual(await derive(password, Buffer.from(salt, "base64"), cost, expected.length), expected);
}

type Cost = Readonly<{ memory: number; passes: number; parallelism: number }>;

function affordable({ memory, passes, parallelism }: Cost): boolean {
  if (memory > MOST.memory || passes > MOST.passes || parallelism > MOST.parallelism) return false;
  return passes >= 1 && parallelism >= 1 && memory >= 8 * parallelism; // RFC 9106, 3.1
}

/** Off the event loop, in the thread pool. */
function derive(password: string, nonce: Buffer, cost: Cost, tagLength: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    argon2("argon2id", { message: password, nonce, tagLength, ...cost }, (error, tag) => {
      if (error === null) resolve(tag);
      else reject(error);
    });
  });
}

function unpadded(bytes: Buffer): string {
  return bytes.toString("base64").replace(/=+$/, "");
}
