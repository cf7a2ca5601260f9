import { createPublicKey, type KeyObject, verify } from "node:crypto";
import type { Passkey } from "../admin-ports.ts";

/** COSE numbers of the accepted signatures (RFC 9053, RFC 8812). Most authenticators create the first. */
export const ALGORITHMS = { ES256: -7, EDDSA: -8, RS256: -257 } as const;

/** Longer keys would cost the guard time with each signature. */
const RSA_BITS = { least: 2_048, most: 4_096 };
const RSA_EXPONENT = 65_537n;

/** The algorithm of a public key (SPKI in DER); null if such keys are not accepted. */
export function algorithmOf(spki: Buffer): number | null {
  const key = publicKey(spki);
  if (key === null) return null;
  const { namedCurve, modulusLength = 0, publicExponent } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case "ec":
      return namedCurve === "prime256v1" ? ALGORITHMS.ES256 : null;
    case "ed25519":
      return ALGORITHMS.EDDSA;
    case "rsa":
      return modulusLength >= RSA_BITS.least && modulusLength <= RSA_BITS.most && publicExponent === RSA_EXPONENT
        ? ALGORITHMS.RS256
        : null;
    default:
      return null;
  }
}

/** Whether the key has signed this. Key and algorithm come from the database, never from the request. */
export function hasSigned(
  { publicKey: spki, algorithm }: Pick<Passkey, "publicKey" | "algorithm">,
  data: Buffer,
  signature: Buffer,
): boolean {
  const key = publicKey(spki);
  if (key === null) return false;
  try {
    return verify(algorithm === ALGORITHMS.EDDSA ? null : "sha256", data, key, signature);
  } catch {
    return false;
  }
}

function publicKey(spki: Buffer): KeyObject | null {
  try {
    return createPublicKey({ key: spki, format: "der", type: "spki" });
  } catch {
    return null;
  }
}
