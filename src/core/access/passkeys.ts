import * as z from "zod/mini";
import { isNameOf } from "../net/address.ts";
import { parseIp } from "../net/ip.ts";
import { parseJson } from "../text.ts";

/** What an authenticator signs for a passkey: https://www.w3.org/TR/webauthn-3/, 5.8.1 and 6.1. */

const clientData = z.object({
  type: z.string(),
  challenge: z.string(),
  origin: z.string(),
  crossOrigin: z.optional(z.literal(false)),
  topOrigin: z.optional(z.never()),
});

/** Null if invalid, or if a page of a different site frames the page (7.1, 9 and 10). */
export function parseClientData(bytes: Buffer): Readonly<z.output<typeof clientData>> | null {
  return clientData.safeParse(parseJson(bytes.toString("utf8"))).data ?? null;
}

export type AuthenticatorData = Readonly<{
  /** SHA-256 of the RP ID that the passkey belongs to. */
  nameDigest: Buffer;
  /** Whether someone was present, and whether a PIN, a finger or a face verified that it was the owner. */
  isPresent: boolean;
  isVerified: boolean;
  /** Grows with each signature; 0 if the authenticator does not count. */
  counter: number;
  /** Of a passkey that was just created; otherwise null. */
  credentialId: Buffer | null;
}>;

const FLAG = { present: 0x01, verified: 0x04, mayBeCopied: 0x08, isCopied: 0x10, credential: 0x40, extensions: 0x80 };
/** Where its parts start. */
const AT = { flags: 32, counter: 33, end: 37 };
/** AAGUID, then the length of the id. */
const AAGUID_BYTES = 16;
const LENGTH_BYTES = 2;

/** Null if invalid. The key in it is not read, because the browser also gives it in a form that needs no CBOR. */
export function parseAuthenticatorData(bytes: Buffer): AuthenticatorData | null {
  if (bytes.length < AT.end) return null;
  const flags = bytes.readUInt8(AT.flags);
  const has = (flag: number): boolean => (flags & flag) !== 0;
  // A passkey that cannot be copied has no copy (6.1.3).
  if (has(FLAG.isCopied) && !has(FLAG.mayBeCopied)) return null;
  const credentialId = has(FLAG.credential) ? credentialIn(bytes) : null;
  if (has(FLAG.credential) && credentialId === null) return null;
  if (!has(FLAG.credential) && has(FLAG.extensions) !== bytes.length > AT.end) return null;
  return {
    nameDigest: bytes.subarray(0, AT.flags),
    isPresent: has(FLAG.present),
    isVerified: has(FLAG.verified),
    counter: bytes.readUInt32BE(AT.counter),
    credentialId,
  };
}

function credentialIn(bytes: Buffer): Buffer | null {
  const from = AT.end + AAGUID_BYTES + LENGTH_BYTES;
  if (bytes.length < from) return null;
  const to = from + bytes.readUInt16BE(from - LENGTH_BYTES);
  // The key follows.
  return to > from && to < bytes.length ? bytes.subarray(from, to) : null;
}

/**
 * The RP ID of passkeys made at this origin: the page's own host name, so pages below or beside it get none of its
 * signatures. Null if the page isn't ours. Browsers allow passkeys over https, and for localhost, where an SSH tunnel
 * ends; never for an IP address.
 */
export function passkeyName(origin: string, names: readonly string[]): string | null {
  if (!URL.canParse(origin)) return null;
  const { origin: plain, protocol, hostname } = new URL(origin);
  if (plain !== origin) return null;
  if (hostname === "localhost") return protocol === "http:" || protocol === "https:" ? hostname : null;
  const isName = parseIp(hostname.replace(/^\[(.*)\]$/, "$1")) === null;
  return protocol === "https:" && isName && isNameOf(hostname, names) ? hostname : null;
}
