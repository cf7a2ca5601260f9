import * as z from "zod/mini";
import { printScopes, SCOPES } from "../core/access/scopes.ts";
import { plural } from "../core/text.ts";
import { dayAndTime } from "../core/time.ts";
import { type OutputOf, object, text, texts } from "./declare/fields.ts";
import { count, duration, list, meaning, page, pageOf, records, sessionId, time, tokenName } from "./declare/kinds.ts";
import {
  ADMIN,
  changes,
  changesWithSecret,
  PROVEN_ADMIN,
  PROVEN_SESSION,
  ROOT,
  reads,
  rootChanges,
  SESSION_OF_ADMIN,
  verb,
} from "./declare/verb.ts";

/** Sessions of the dashboard, and tokens. */

export const sessionFacts = () => ({
  id: z.string(),
  device: meaning(z.string(), "As the browser describes itself."),
  ip: z.string(),
  startedAt: time,
  usedAt: meaning(time, "To the minute."),
  isOwn: meaning(z.boolean(), "Whether this is the session that made the request."),
});
const session = object(() => ({
  ...sessionFacts(),
  account: meaning(z.nullable(z.string()), "The mailbox; null: the administrator's."),
}));
const sessions = pageOf(session);
export const ended = object(() => ({ ended: count }));

const token = object(() => ({
  name: z.string(),
  scopes: list(z.enum(SCOPES)),
  createdAt: time,
  createdBy: z.string(),
  expiresAt: meaning(z.nullable(time), "Null: it does not expire."),
  usedAt: meaning(z.nullable(time), "To the minute; null if never used."),
}));
export type TokenItem = OutputOf<typeof token>;
const tokens = pageOf(token);
/** Refuses `.` and `..`: a URL cannot end in them (RFC 3986, 5.2.4), so such a token could not be revoked over HTTP. */
export const newTokenName = tokenName.check(z.refine((name) => !/^\.\.?$/.test(name), "is only dots"));
const TOKEN_NAME = "The token's name.";
const newToken = {
  name: meaning(newTokenName, TOKEN_NAME),
  digest: z.string("is missing, or not text").check(z.regex(/^[0-9a-f]{64}$/, "is not a SHA-256 in hexadecimal")),
  scopes: texts(SCOPES.length, 16),
  for: duration("How long the token is valid; if absent, it does not expire."),
};
const named = object(() => ({ name: z.string() }));

export const ACCESS_VERBS = [
  verb("session_list", ADMIN, page(), reads(sessions))
    .http("GET /sessions", "Valid sessions: the administrator's, then those of mailboxes, each newest first.")
    .cli("session list", "List the sessions of the dashboard, the administrator's and those of mailboxes.", {
      table: {
        things: "sessions",
        member: "sessions",
        head: ["SESSION", "OF", "USED", "SINCE", "FROM", "DEVICE"],
        row: (one) => [
          one.id,
          one.account ?? "the administrator",
          dayAndTime(one.usedAt),
          dayAndTime(one.startedAt),
          one.ip,
          one.device,
        ],
        none: "No one is signed in to the dashboard.",
        next: "session end SESSION  # or --all",
      },
    }),
  verb("session_end", PROVEN_ADMIN, { id: text(32) }, changes(ended, "access")).http(
    "DELETE /sessions/{id}",
    "Ends a session, of the administrator or of a mailbox.",
    { fields: { id: meaning(sessionId, "As in the list of sessions.") } },
  ),
  verb("session_end_all", PROVEN_ADMIN, {}, changes(ended, "access")).http(
    "DELETE /sessions",
    "Ends all sessions of the administrator but the caller's own.",
  ),
  verb("token_list", ADMIN, page(), reads(tokens))
    .http("GET /tokens", "The tokens by name, a page at a time; never the tokens themselves.")
    .cli("token list", "List the tokens.", {
      table: {
        things: "tokens",
        head: ["TOKEN", "SCOPES", "EXPIRES", "USED", "CREATED", "BY"],
        row: (one) => [
          one.name,
          // A word that stands out, for a token that may give others access.
          SCOPES.every((scope) => one.scopes.includes(scope)) ? "everything" : printScopes(one.scopes),
          one.expiresAt === null ? "never" : dayAndTime(one.expiresAt),
          one.usedAt === null ? "never" : dayAndTime(one.usedAt),
          dayAndTime(one.createdAt),
          one.createdBy,
        ],
        none: "There is no token.",
        first: "token create NAME",
      },
    }),
  verb("token_create", PROVEN_ADMIN, newToken, changesWithSecret<{ readonly name: string }>("name", "access")),
  verb("token_revoke", PROVEN_ADMIN, { name: meaning(tokenName, TOKEN_NAME) }, changes(named, "access"))
    .http("DELETE /tokens/{name}", "Revokes a token.")
    .cli("token revoke NAME", "Revoke a token.", {
      words: ["name"],
      done: ({ name }) => `The token ${name} is no longer valid.`,
      next: "token list",
    }),
] as const;

/** The second factors and passkeys of the dashboard's sign-in. All of WebAuthn is base64url without padding. */

function bytes(most: number) {
  const base64 = z.regex(/^[A-Za-z0-9_-]+$/, "is not base64url");
  return z.string("is missing, or not text").check(z.maxLength(most, `has more than ${most} characters`), base64);
}
/** The bounds below fit RSA keys of up to 4096 bits. */
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
/** A code of the authenticator app or a recovery code, as typed. */
export const code = z
  .string("is missing, or not text")
  .check(z.minLength(1, "is empty"), z.maxLength(64, "has more than 64 characters"));

const passkeys = () =>
  records({
    id: z.string(),
    name: z.string(),
    created: time,
    lastUsed: meaning(z.nullable(time), "Its last use for a sign-in or a proof; null if never used."),
  });
const passkeyList = object(() => ({ items: passkeys() }));
const factors = object(() => ({
  totp: meaning(z.boolean(), "Whether an authenticator app is set up."),
  recoveryLeft: meaning(count, "How many recovery codes are left."),
  passkeys: passkeys(),
}));
const begun = object(() => ({
  secret: meaning(z.string(), "In base32, to be typed into the app."),
  uri: meaning(z.string(), "The secret as a URI, which apps read from a QR code."),
}));
const codes = object(() => ({
  recoveryCodes: meaning(list(z.string()), "Each replaces the app's code at one sign-in. They are not shown again."),
}));
const asked = object(() => ({
  challenge: z.string(),
  name: meaning(z.string(), "The name by which the owner recognizes it: `user.name`."),
  user: meaning(z.string(), "The user handle: `user.id`."),
  known: meaning(list(z.string()), "Passkeys that already exist: `excludeCredentials`."),
}));
export const done = object(() => ({ done: z.literal(true) }));
const NO_DRY_RUN = "Second factors and passkeys are set up in a browser, step by step, each of which is confirmed.";

/** How many there were, and the names of the passkeys among them. */
export type FactorsReset = Readonly<{ ended: number; factors: number; passkeyNames: readonly string[] }>;

export function factorsRemoved({ factors, passkeyNames: passkeys }: FactorsReset): string {
  if (factors === 0) return "The dashboard had no second factor.";
  return [
    ...(factors > passkeys.length ? ["The dashboard's second factor was removed."] : []),
    ...(passkeys.length > 0 ? [`Passkeys removed: ${passkeys.join(", ")}.`] : []),
  ].join(" ");
}

export const FACTOR_VERBS = [
  verb("factors_reset", ROOT, {}, rootChanges<FactorsReset>("factors")).cli(
    "admin reset-2fa",
    "Remove every second factor and passkey of the dashboard and end its sessions.",
    {
      done: (reset) =>
        `${factorsRemoved(reset)} ${plural(reset.ended, "session")} ended. The password alone signs in now.`,
    },
  ),
  verb("factor_list", ADMIN, {}, reads(factors)).http(
    "GET /factors",
    "Which second factors and passkeys the sign-in has.",
  ),
  verb("totp_begin", PROVEN_SESSION, {}, reads(begun, { bound: "access", dryRun: NO_DRY_RUN })).http(
    "POST /factors/totp",
    "A new secret for an authenticator app. It takes effect once the app's first code is confirmed.",
  ),
  verb("totp_confirm", SESSION_OF_ADMIN, { code }, changes(codes, "access", NO_DRY_RUN)).http(
    "POST /factors/totp/confirm",
    "Confirms the app with its first code, in the same session within 10 minutes. Shows the recovery codes once.",
  ),
  verb("totp_remove", PROVEN_SESSION, {}, changes(done, "access", NO_DRY_RUN)).http(
    "DELETE /factors/totp",
    "Removes the authenticator app and its recovery codes.",
  ),
  verb("recovery_renew", PROVEN_SESSION, {}, changes(codes, "access", NO_DRY_RUN)).http(
    "POST /factors/recovery",
    "Replaces the recovery codes; the new ones are shown once.",
  ),
  verb("passkey_list", ADMIN, {}, reads(passkeyList)).http(
    "GET /factors/passkeys",
    "The passkeys that sign in, oldest first.",
  ),
  verb("passkey_begin", PROVEN_SESSION, {}, reads(asked, { bound: "itself", dryRun: NO_DRY_RUN })).http(
    "POST /factors/passkeys",
    "What a browser needs to make a passkey, within two minutes and in this session.",
  ),
  verb(
    "passkey_add",
    PROVEN_SESSION,
    { ...signed, publicKey: meaning(bytes(800), "`response.getPublicKey()`: SPKI in DER."), name: passkeyName },
    changes(named, "access", NO_DRY_RUN),
  ).http("POST /factors/passkeys/confirm", "Adds the passkey that the browser made.", { status: 201 }),
  verb("passkey_remove", PROVEN_SESSION, { id }, changes(named, "access", NO_DRY_RUN)).http(
    "DELETE /factors/passkeys/{id}",
    "Removes a passkey, even the last one.",
  ),
] as const;
