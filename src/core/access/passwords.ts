import { type AccountName, localPart } from "../net/address.ts";

/** The minimum number of characters (Unicode code points) of a password. */
const MIN_PASSWORD_LENGTH = 10;
/** The maximum number of bytes: SASL PLAIN and Dovecot's buffers accept this many. */
export const MAX_PASSWORD_BYTES = 512;

/** What is wrong with a new password, in one sentence; null if nothing is. `owner` is null for the administrator. */
export function passwordProblem(password: string, owner: AccountName | null): string | null {
  if ([...password].length < MIN_PASSWORD_LENGTH)
    return `The password is too short: it needs at least ${MIN_PASSWORD_LENGTH} characters.`;
  if (Buffer.byteLength(password) > MAX_PASSWORD_BYTES)
    return `The password is too long: it may have at most ${MAX_PASSWORD_BYTES} bytes.`;
  if (hasControlCharacter(password))
    return "The password contains a control character, which cannot be typed in mail programs.";
  // Bytes that are not valid UTF-8, such as an accented letter in Latin-1.
  if (password.includes("\ufffd"))
    return "The password contains a character that is not UTF-8, as mail programs send it.";
  if (owner !== null && password.toLowerCase().includes(localPart(owner)) && localPart(owner).length > 2)
    return "The password contains the name of the account.";
  return null;
}

function hasControlCharacter(text: string): boolean {
  for (const character of text) if (character < " " || character === "\x7f") return true;
  return false;
}

/** The longest name of an app password, in characters. */
export const APP_PASSWORD_NAME = 40;

/** The name of an app password, such as `phone` or `Annas Laptop`; null if it cannot be one. */
export function appPasswordName(text: string): string | null {
  const name = text.trim().normalize("NFC");
  return name.length <= APP_PASSWORD_NAME && /^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N} ._-]*[\p{L}\p{M}\p{N}._-])?$/u.test(name)
    ? name
    : null;
}

/**
 * The cost of one guess at a password: argon2id with `memory` KiB, `passes` and `parallelism`. OWASP Password Storage
 * Cheat Sheet: 19 MiB, two passes, one lane. Dovecot checks each sign-in with these, so more memory would help an
 * attacker who floods the server with sign-ins.
 */
export const PASSWORD_COST = { memory: 19_456, passes: 2, parallelism: 1 } as const;
export const PASSWORD_TAG_BYTES = 32;
export const PASSWORD_SALT_BYTES = 16;

/** A PHC string with the scheme in front, as Dovecot reads it: `{ARGON2ID}$argon2id$v=19$m=…`. */
export function printArgon2id(salt: Buffer, tag: Buffer): string {
  const { memory, passes, parallelism } = PASSWORD_COST;
  const encoded = [salt, tag].map((bytes) => bytes.toBase64({ omitPadding: true })).join("$");
  return `{ARGON2ID}$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${encoded}`;
}

/** Maximum KiB times passes of a hash that the guard verifies: the costliest setting that OWASP calls equal to ours (46 MiB, one pass). */
const MOST_IN_GUARD = 47_104;

/**
 * Whether verifying the hash takes the guard about as long as verifying one that it made. An account's hash may have been imported, and an
 * attacker who tries passwords chooses how often it is computed.
 */
export function isForGuard(hash: string): boolean {
  const [, memory, passes] = /^\{ARGON2ID\}\$argon2id\$v=19\$m=(\d+),t=(\d+),p=\d+\$/.exec(hash) ?? [];
  return Number(memory) * Number(passes) <= MOST_IN_GUARD;
}

/**
 * Whether a stored hash would cost Dovecot more than a second or 256 MiB at each attempt, which strangers can make at will. Reads the cost
 * of Argon2 (RFC 9106), SHA-crypt and bcrypt (crypt(5)), PBKDF2 and SCRAM. Other schemes count as quick: `isOfKnownScheme` refuses those
 * that hide a cost.
 */
export function tooCostly(hash: string): boolean {
  const encoded = /^\{[A-Z0-9-]+\.(HEX|B64|BASE64)\}(.*)$/i.exec(hash);
  const text = encoded === null ? hash : decoded(encoded[1] ?? "", encoded[2] ?? "");
  const parameter = (pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? 0);
  const memory = parameter(/\$m=(\d+)/);
  const passes = parameter(/[$,]t=(\d+)/);
  return (
    memory > MOST.memoryKib ||
    memory * passes > MOST.memoryKib * MOST.passes ||
    parameter(/[$,]p=(\d+)/) > MOST.lanes ||
    parameter(/\$rounds=(\d+)/) > MOST.rounds ||
    parameter(/\$2[abxy]?\$(\d+)\$/) > MOST.blowfish ||
    parameter(/^\{(?:PBKDF2|SCRAM-SHA-1|SCRAM-SHA-256)[^}]*\}(?:\$1\$[^$]*\$)?(\d+)/i) > MOST.rounds
  );
}

const MOST = { memoryKib: 262_144, passes: 4, lanes: 4, rounds: 1_000_000, blowfish: 13 } as const;

/**
 * Whether a file imported over the web may contain this hash. Its scheme must have a salt, and a cost that is fixed or that `tooCostly` can
 * read. crypt(3) accepts more than the scheme's name says: even behind `{SHA512-CRYPT}`, it would compute `$sha1$4000000000$…` for an hour.
 */
export function isOfKnownScheme(hash: string): boolean {
  const [, scheme, encoding, value] = /^\{([A-Z0-9-]+)(?:\.(HEX|B64|BASE64))?\}(.+)$/i.exec(hash) ?? [];
  if (scheme === undefined || value === undefined) return false;
  const name = scheme.toUpperCase();
  // An encoding hides the parameters. These schemes have none.
  if (SALTED.includes(name)) return true;
  return encoding === undefined && WITH_COST[name]?.test(value) === true;
}

const SALTED: readonly string[] = ["SSHA", "SSHA256", "SSHA512", "SMD5"];
const SHA512 = /^\$6\$(?:rounds=\d{1,9}\$)?[^$]{0,16}\$[./0-9A-Za-z]+$/;
const SHA256 = /^\$5\$(?:rounds=\d{1,9}\$)?[^$]{0,16}\$[./0-9A-Za-z]+$/;
const MD5 = /^\$1\$[^$]{0,8}\$[./0-9A-Za-z]+$/;
const BLOWFISH = /^\$2[abxy]\$\d\d\$[./0-9A-Za-z]+$/;
const ARGON2 = /^\$argon2id?\$(?:v=\d+\$)?m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+$/;
/** yescrypt with the cost that Debian's passwd writes (crypt(5)): 16 MiB. */
const YESCRYPT = /^\$y\$j9T\$[./0-9A-Za-z]+\$[./0-9A-Za-z]+$/;
const SCRAM = /^\d+,[^,]+,[^,]+,[^,]+$/;
const WITH_COST: Readonly<Record<string, RegExp>> = {
  "SHA512-CRYPT": SHA512,
  "SHA256-CRYPT": SHA256,
  "MD5-CRYPT": MD5,
  "BLF-CRYPT": BLOWFISH,
  CRYPT: new RegExp([SHA512, SHA256, MD5, BLOWFISH, YESCRYPT].map(({ source }) => source).join("|")),
  ARGON2ID: ARGON2,
  ARGON2I: ARGON2,
  PBKDF2: /^\$1\$[^$]*\$\d+\$[0-9a-f]+$/i,
  "SCRAM-SHA-1": SCRAM,
  "SCRAM-SHA-256": SCRAM,
};

function decoded(encoding: string, value: string): string {
  return Buffer.from(value, encoding.toUpperCase() === "HEX" ? "hex" : "base64").toString("latin1");
}
