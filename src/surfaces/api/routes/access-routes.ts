import * as z from "zod";
import { newTokenName } from "../../../admin/access.ts";
import { time } from "../../../admin/declare/items.ts";
import { meaning } from "../../../admin/declare/kinds.ts";
import { ROLES, SCOPES } from "../../../core/access/scopes.ts";
import { parseDuration } from "../../../core/time.ts";
import { newToken } from "../../../guard/access/secrets.ts";
import { API_LIMITS } from "../limits.ts";
import { passkeyChallenge, prove, sessionAnswer, signIn, signOut } from "../login.ts";
import { loginRefused, unauthorized } from "../problem.ts";
import { type Route, route, sendToGuard } from "../route.ts";
import type { SharedParts } from "../router.ts";
import { createTurns } from "../shares.ts";
import { loginRequest, proofRequest } from "./schemas.ts";

const ROLE_NAMES = Object.keys(ROLES);
const granted = z.enum([...SCOPES, ...ROLE_NAMES], `is none of ${[...SCOPES, ...ROLE_NAMES].join(", ")}`);
const session = z.object({
  name: z.string(),
  role: z.enum([...Object.keys(ROLES), "mailbox"]),
  account: z
    .string()
    .nullable()
    .describe("The mailbox whose user this is; null for an administrator's session or token."),
  scopes: z.array(z.enum(SCOPES, `is none of ${SCOPES.join(", ")}`)),
  freshUntil: meaning(z.nullable(time), "Until when the last proof counts as fresh."),
});

const tokenRequest = z.strictObject({
  name: newTokenName,
  scopes: z.array(granted).min(1, "is empty").describe("Scopes, and roles, which stand for several scopes."),
  expires: z
    .string()
    .refine((text) => (parseDuration(text) ?? 0) > 0, "is not a time such as 12h or 90d")
    .optional()
    .describe("How long it is valid, such as 90d; if absent, it does not expire."),
});

/** Who may use the dashboard and the API: the sign-in, sessions and tokens. The guard decides all of it. */
export function accessRoutes({ parts, callers }: Pick<SharedParts, "parts" | "callers">): readonly Route[] {
  const { guard } = parts;
  const access = { ...parts, callers };
  const signIns = createTurns(API_LIMITS.signInsAtOnce, API_LIMITS.unknownWaitMs);
  const ofMailboxes = createTurns(API_LIMITS.mailboxSignInsAtOnce, API_LIMITS.unknownWaitMs);
  const challenges = createTurns(API_LIMITS.unknownAtOnce, API_LIMITS.unknownWaitMs);
  return [
    route("POST /api/v1/login", {
      says: "Signs in the administrator with the password (and a code if a second factor is set up) or a passkey, or the user of a mailbox with its address and password. The answer sets the session's cookie.",
      asks: "sign_in",
      who: "anyone",
      body: loginRequest,
      answer: session,
      run: (call) => {
        // Users of mailboxes have their own queue, so that they do not delay the administrator.
        const isMailboxUser = "account" in call.body && call.body.account !== undefined;
        return inTurn(isMailboxUser ? ofMailboxes : signIns, () => signIn(access, call));
      },
    }),
    route("POST /api/v1/login/passkey", {
      says: "A challenge for a passkey to sign, for a sign-in or a fresh proof; valid once and for two minutes.",
      who: "anyone",
      answer: z.object({ challenge: z.string() }),
      run: (call) => inTurn(challenges, () => passkeyChallenge(parts, call)),
    }),
    route("POST /api/v1/logout", {
      says: "Ends the session.",
      asks: "sign_out",
      who: "session",
      status: 204,
      run: (call) => signOut(access, call),
    }),
    route("GET /api/v1/session", {
      says: "Whose session or token this is, what it may do, and until when its proof is fresh.",
      needs: null,
      answer: session,
      run: ({ caller }) => (caller === null ? unauthorized() : sessionAnswer(caller)),
    }),
    route("POST /api/v1/session/proof", {
      says: "Proves again who you are, with the password (and a code if one is needed) or a passkey. For 10 minutes this session may use routes that need a fresh proof.",
      asks: "prove",
      who: "session",
      body: proofRequest,
      answer: session,
      run: (call) => prove(access, call),
    }),
    route("POST /api/v1/tokens", {
      says: "Makes a token, which is shown once.",
      needs: "admin",
      asks: "token_create",
      status: 201,
      body: tokenRequest,
      answer: z.object({ name: z.string(), token: z.string().describe("Empty in a dry run.") }),
      run: (call) => {
        const { body, isDry } = call;
        const { token, digest } = newToken();
        const { name, scopes, expires = null } = body;
        const asked = { verb: "token_create", name, digest, scopes, for: expires } as const;
        return sendToGuard(guard, call, asked, (made) => ({ name: made.name, token: isDry ? "" : token }));
      },
    }),
  ];
}

/** Limits routes that strangers can call: each call takes a connection to the guard, which accepts a limited number. */
async function inTurn<R>(turns: ReturnType<typeof createTurns>, answer: () => Promise<R>): Promise<R | Response> {
  const answered = await turns(answer);
  return answered === "no_turn" ? loginRefused(429) : answered;
}
