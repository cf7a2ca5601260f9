import * as z from "zod";

/** What the routes of passkey-routes.ts take and answer. Everything of WebAuthn is base64url without padding. */

const time = z.iso.datetime({ precision: 3 }).describe("ISO 8601 in UTC.");
const bytes = (most: number) =>
  z
    .string("is missing, or not text")
    .max(most, `has more than ${most} characters`)
    .regex(/^[A-Za-z0-9_-]+$/, "is not base64url");
const passkeyId = bytes(344).describe("The credential's id.");
const signed = {
  id: passkeyId,
  clientData: bytes(1_500).describe("`response.clientDataJSON`."),
  authenticatorData: bytes(1_500).describe("`response.authenticatorData`, or `getAuthenticatorData()` of a new one."),
};

export const passkeyUsed = z.strictObject({ ...signed, signature: bytes(700).describe("`response.signature`.") });
export const passkeyChallenged = z.object({ challenge: z.string() });
export const passkeys = z.array(
  z.object({
    id: z.string(),
    name: z.string(),
    created: time,
    lastUsed: time.nullable().describe("When it signed in or gave a proof last; null: not yet."),
  }),
);
export const passkeyList = z.object({ items: passkeys });
export const passkeyAsked = z.object({
  challenge: z.string(),
  name: z.string().describe("Under which the owner knows it again: `user.name`."),
  user: z.string().describe("The user handle: `user.id`."),
  known: z.array(z.string()).describe("Passkeys that are there already: `excludeCredentials`."),
});
export const passkeyMade = z.strictObject({
  ...signed,
  publicKey: bytes(800).describe("`response.getPublicKey()`: SPKI in DER."),
  name: z
    .string("is missing, or not text")
    .max(64, "has more than 64 characters")
    .refine((text) => text.trim() !== "" && !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text), "is empty, or has control characters"),
});
export const passkeyInPath = z.object({ id: passkeyId });
export const passkeyNamed = z.object({ name: z.string() });
