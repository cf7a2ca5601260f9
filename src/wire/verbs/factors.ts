import * as z from "zod/mini";
import { answers, changesUntried, FACTOR, type ResultOf, reads } from "../control/effects.ts";
import { ADMIN, PROVEN_SESSION, SESSION_OF_ADMIN } from "../control/verb-rights.ts";
import { count, list, meaning, time } from "./kinds.ts";
import { verb } from "./verb.ts";

/** The second factors and passkeys of the dashboard's sign-in. All of WebAuthn is base64url without padding. */

function bytes(most: number) {
  const base64 = z.regex(/^[A-Za-z0-9_-]+$/, "is not base64url");
  return z.string("is missing, or not text").check(z.maxLength(most, `has more than ${most} characters`), base64);
}
/** An RSA key of 4096 bits is the longest. */
const id = meaning(bytes(344), "The credential's id.");
export const signed = {
  id,
  clientData: meaning(bytes(1_500), "`response.clientDataJSON`."),
  authenticatorData: meaning(bytes(1_500), "`response.authenticatorData`, or `getAuthenticatorData()` of a new one."),
};
export const passkeyUsed = { ...signed, signature: meaning(bytes(700), "`response.signature`.") };
const passkeyName = z.string("is missing, or not text").check(
  z.maxLength(64, "has more than 64 characters"),
  z.refine((name) => name.trim() !== "" && !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(name), "is empty, or has control characters"),
);
/** Of the authenticator app, or a recovery code, as typed. */
export const code = z
  .string("is missing, or not text")
  .check(z.minLength(1, "is empty"), z.maxLength(64, "has more than 64 characters"));

const passkeys = () =>
  list(
    z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        created: time,
        lastUsed: meaning(z.nullable(time), "When it signed in or gave a proof last; null: not yet."),
      }),
    ),
  );
const passkeyList = answers(() => z.object({ items: passkeys() }));
const factors = answers(() =>
  z.object({
    totp: meaning(z.boolean(), "Whether an authenticator app is set up."),
    recoveryLeft: meaning(count, "Recovery codes that were not used yet."),
    passkeys: passkeys(),
  }),
);
export type FactorList = ResultOf<typeof factors>;
const begun = answers(() =>
  z.object({
    secret: meaning(z.string(), "In base32, to be typed into the app."),
    uri: meaning(z.string(), "The same as an address that apps read from a QR code."),
  }),
);
export type TotpBegun = ResultOf<typeof begun>;
const codes = answers(() =>
  z.object({
    recoveryCodes: meaning(
      list(z.array(z.string())),
      "Each signs in once in place of the app's code. They are shown only now.",
    ),
  }),
);
const asked = answers(() =>
  z.object({
    challenge: z.string(),
    name: meaning(z.string(), "Under which the owner knows it again: `user.name`."),
    user: meaning(z.string(), "The user handle: `user.id`."),
    known: meaning(list(z.array(z.string())), "Passkeys that are there already: `excludeCredentials`."),
  }),
);
const done = answers(() => z.object({ done: z.literal(true) }));
const named = answers(() => z.object({ name: z.string() }));

export const FACTORS = [
  verb("factor_list", ADMIN, {}, reads(factors)).http(
    "GET /factors",
    "Which second factors and passkeys the sign-in has.",
  ),
  verb("totp_begin", PROVEN_SESSION, {}, reads(begun, { bound: "access", trial: FACTOR })).http(
    "POST /factors/totp",
    "A new secret for an authenticator app, which counts once its first code is given. Needs a fresh proof.",
  ),
  verb("totp_confirm", SESSION_OF_ADMIN, { code }, changesUntried(codes, "access", FACTOR)).http(
    "POST /factors/totp/confirm",
    "The first code of the app, in the same session within 10 minutes. Shows the recovery codes, only now.",
  ),
  verb("totp_remove", PROVEN_SESSION, {}, changesUntried(done, "access", FACTOR)).http(
    "DELETE /factors/totp",
    "Removes the authenticator app and its recovery codes. Needs a fresh proof.",
  ),
  verb("recovery_renew", PROVEN_SESSION, {}, changesUntried(codes, "access", FACTOR)).http(
    "POST /factors/recovery",
    "Makes new recovery codes in place of the former, shown only now. Needs a fresh proof.",
  ),
  verb("passkey_list", ADMIN, {}, reads(passkeyList)).http(
    "GET /factors/passkeys",
    "The passkeys that sign in, oldest first.",
  ),
  verb("passkey_begin", PROVEN_SESSION, {}, reads(asked, { bound: "own", trial: FACTOR })).http(
    "POST /factors/passkeys",
    "What a browser needs to make a passkey, within two minutes and in this session. Needs a fresh proof.",
  ),
  verb(
    "passkey_add",
    PROVEN_SESSION,
    { ...signed, publicKey: meaning(bytes(800), "`response.getPublicKey()`: SPKI in DER."), name: passkeyName },
    changesUntried(named, "access", FACTOR),
  ).http("POST /factors/passkeys/confirm", "Adds the passkey that the browser made. Needs a fresh proof.", {
    status: 201,
    body: "sign-in",
  }),
  verb("passkey_remove", PROVEN_SESSION, { id }, changesUntried(named, "access", FACTOR)).http(
    "DELETE /factors/passkeys/{id}",
    "Removes a passkey; the last one too. Needs a fresh proof.",
  ),
] as const;
