import { newToken } from "../../../guard/access/secrets.ts";
import { sendToGuard } from "../derived.ts";
import type { Handlers } from "../handlers.ts";
import { API_LIMITS } from "../limits.ts";
import { passkeyChallenge, prove, sessionAnswer, signIn, signOut } from "../login.ts";
import { loginRefused, unauthorized } from "../problem.ts";
import { type Route, route } from "../route.ts";
import { createTurns } from "../shares.ts";
import * as shape from "./account-schemas.ts";
import { loginRequest, proofRequest } from "./schemas.ts";

/** Who may use the dashboard and the API: the sign-in, sessions and tokens. The guard decides all of it. */
export function accessRoutes({ parts, callers }: Pick<Handlers, "parts" | "callers">): readonly Route[] {
  const { guard } = parts;
  const access = { ...parts, callers };
  const signIns = createTurns(API_LIMITS.signInsAtOnce, API_LIMITS.unknownWaitMs);
  const ofMailboxes = createTurns(API_LIMITS.mailboxSignInsAtOnce, API_LIMITS.unknownWaitMs);
  const challenges = createTurns(API_LIMITS.unknownAtOnce, API_LIMITS.unknownWaitMs);
  return [
    route("POST /api/v1/login", {
      says: "Signs in with the administrator's password, and a code where a second factor is set up, or with a passkey; or the user of a mailbox with its address and password. The answer sets the session's cookie.",
      asks: "sign_in",
      who: "anyone",
      body: loginRequest,
      answer: shape.session,
      run: (call) => {
        // Users of mailboxes have their own queue, so the administrator's places stay free.
        const isMailboxUser = "account" in call.body && call.body.account !== undefined;
        return inTurn(isMailboxUser ? ofMailboxes : signIns, () => signIn(access, call));
      },
    }),
    route("POST /api/v1/login/passkey", {
      says: "A challenge for a passkey to sign, for a sign-in or a fresh proof; valid once, for two minutes.",
      who: "anyone",
      answer: shape.passkeyChallenged,
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
      says: "Who this session or token is, what it may do, and until when a proof of the password is fresh.",
      needs: null,
      answer: shape.session,
      run: ({ caller }) => (caller === null ? unauthorized() : sessionAnswer(caller)),
    }),
    route("POST /api/v1/session/proof", {
      says: "Gives the password again, and a code where one is needed, or a passkey: for 10 minutes this session may do what needs a fresh proof.",
      asks: "prove",
      who: "session",
      body: proofRequest,
      answer: shape.session,
      run: (call) => prove(access, call),
    }),
    route("POST /api/v1/tokens", {
      says: "Makes a token, which is shown only now.",
      needs: "admin",
      asks: "token_create",
      status: 201,
      body: shape.tokenRequest,
      answer: shape.tokenMade,
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

/** Strangers can call these, each over a separate connection to the guard, which accepts a limited number. */
async function inTurn<R>(turns: ReturnType<typeof createTurns>, answer: () => Promise<R>): Promise<R | Response> {
  const answered = await turns(answer);
  return answered === "no_turn" ? loginRefused(429) : answered;
}
