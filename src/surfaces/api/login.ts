import type { CallerItem, NotIn, Proved } from "../../admin/declare/items.ts";
import { SESSION_AGE_MS } from "../../core/access/session.ts";
import type { Ip } from "../../core/net/ip.ts";
import { SECOND_MS } from "../../core/time.ts";
import type { Assertion } from "../../guard/access/passkeys.ts";
import { knownCookie, knownOf, sessionCookie } from "./access.ts";
import type { Callers } from "./callers.ts";
import type { ApiParts } from "./ports.ts";
import { guardDown, loginRefused, problem, unauthorized } from "./problem.ts";
import { type RouteCall, sendToGuard } from "./route.ts";

/** A passkey replaces both password and code. */
type ProofBody = Readonly<{ password: string; code?: string | undefined }> | Readonly<{ passkey: Assertion }>;
/** `account`: the mailbox whose user signs in; without it, the administrator does. */
type SignInBody = ProofBody & Readonly<{ account?: string | undefined }>;
type Call<B = unknown> = RouteCall<unknown, unknown, B>;
type Attempt = Pick<Call<SignInBody>, "body" | "ip" | "secure" | "headers">;
/** `callers` gets the guard's answer, so that the next request's caller is already known. */
type Parts = Pick<ApiParts, "guard" | "signInRefused"> & Readonly<{ callers: Callers }>;

/** The guard judges the attempt, verifies the password or passkey, and opens the session. While it is down, no one can sign in. */
export async function signIn(parts: Parts, { body, ip, secure, headers }: Attempt): Promise<Response> {
  const known = knownOf(headers, secure);
  const device = deviceOf(headers.get("user-agent") ?? "");
  const reply = await askGuard(parts.guard, body, { ip, device, known });
  if (!reply.ok) {
    if (reply.kind === "unreachable") return guardDown();
    // Strangers see this too, so it does not say why.
    const next = "`./ghostinbox status` on the server shows why, such as a full disk.";
    return problem("guard_down", "The guard cannot do this now.", { next });
  }
  const { result } = reply;
  if (result.outcome !== "in") return refused(parts, result.outcome, ip);
  parts.callers.confirm(result.secret, ip, result.caller);
  const answer = new Headers({ "set-cookie": sessionCookie(result.secret, secure, SESSION_AGE_MS / SECOND_MS) });
  if (result.known !== null) answer.append("set-cookie", knownCookie(result.known, secure));
  return Response.json(sessionAnswer(result.caller), { headers: answer });
}

type From = Readonly<{ ip: Ip; device: string; known: string | null }>;

function askGuard(guard: Parts["guard"], given: SignInBody, from: From) {
  if ("passkey" in given) return guard.ask("web", { verb: "sign_in_passkey", ...from, ...given.passkey });
  const { account, ...proof } = given;
  if (account === undefined) return guard.ask("web", { verb: "sign_in", ...from, ...proof });
  const { ip, device } = from;
  return guard.ask("web", { verb: "sign_in_mailbox", ip, account, password: proof.password, device });
}

/** Verifies the password or a passkey again, because some routes need a fresh proof. */
export async function prove(parts: Parts, call: Call<ProofBody>) {
  const { caller, ip, body } = call;
  if (caller === null) return unauthorized();
  const proved = (result: Proved) => {
    if (result.outcome !== "proved") return refused(parts, result.outcome, ip);
    parts.callers.confirm(caller.secret, ip, result.caller);
    return sessionAnswer(result.caller);
  };
  return "passkey" in body
    ? sendToGuard(parts.guard, call, { verb: "prove_passkey", ...body.passkey }, proved)
    : sendToGuard(parts.guard, call, { verb: "prove", ...body }, proved);
}

/** The challenge that a passkey signs for a sign-in or a proof. Strangers may request it. */
export async function passkeyChallenge({ guard }: Pick<Parts, "guard">, call: Call) {
  return sendToGuard(guard, call, { verb: "passkey_challenge", ip: call.ip }, ({ challenge }) =>
    challenge === null ? loginRefused(429) : { challenge },
  );
}

/** Even if the guard cannot end the session now, the browser forgets it and the web stops accepting it. */
export async function signOut({ guard, callers }: Parts, call: Call): Promise<Response> {
  const { caller, ip, secure } = call;
  if (caller === null) return unauthorized();
  callers.end(caller, ip);
  const ended = await sendToGuard(guard, call, { verb: "sign_out" }, () => null);
  if (ended !== null) void callers.endLater(caller, ip);
  const answer = ended ?? new Response(null, { status: 204 });
  answer.headers.set("set-cookie", sessionCookie("", secure, 0));
  return answer;
}

export function sessionAnswer({ name, role, account, scopes, freshUntil }: CallerItem) {
  return { name, role, account, scopes: [...scopes], freshUntil };
}

function refused({ signInRefused }: Pick<Parts, "signInRefused">, outcome: NotIn, ip: Ip): Response {
  if (outcome === "code_needed") return problem("code_needed", "A code is needed in addition to the password.");
  if (outcome === "wrong") signInRefused(ip);
  return loginRefused(outcome === "refused" ? 429 : 401);
}

const BROWSERS = [
  ["Edge", /\bEdg(?:e|A|iOS)?\//],
  ["Opera", /\bOPR\//],
  ["Firefox", /\b(?:Firefox|FxiOS)\//],
  ["Chrome", /\b(?:Chrome|CriOS)\//],
  ["Safari", /\bSafari\//],
  ["curl", /^curl\//],
] as const;

const SYSTEMS = [
  ["Android", /\bAndroid\b/],
  ["iPhone", /\biPhone\b/],
  ["iPad", /\biPad\b/],
  ["Windows", /\bWindows\b/],
  ["macOS", /\bMac OS X\b/],
  ["ChromeOS", /\bCrOS\b/],
  ["Linux", /\bLinux\b/],
] as const;

/** A User-Agent in words that its owner recognizes: `Firefox on Linux`. It may be forged. */
export function deviceOf(userAgent: string): string {
  const nameIn = (known: readonly (readonly [string, RegExp])[]) => known.find(([, form]) => form.test(userAgent))?.[0];
  const [browser, system] = [nameIn(BROWSERS), nameIn(SYSTEMS)];
  if (browser === undefined) return system ?? "unknown device";
  return system === undefined ? browser : `${browser} on ${system}`;
}
