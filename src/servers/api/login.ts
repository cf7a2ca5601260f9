import { createHmac, randomBytes } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { LOGIN_DELAY_SECONDS } from "../../core/decide/policy.ts";
import { type Ip, prefixOf } from "../../core/net/ip.ts";
import { SECOND_MS } from "../../core/time.ts";
import { sessionCookie, sessionSecret } from "./access.ts";
import type { DashboardSessions } from "./dashboard-sessions.ts";
import { deviceCookie, isKnownDevice } from "./device.ts";
import { API_LIMITS } from "./limits.ts";
import { type Lane, LoginLanes } from "./login-lanes.ts";
import type { ApiParts } from "./ports.ts";
import { guardDown, loginRefused } from "./problem.ts";

const LOGIN = "admin";
const ACTOR = "web";

type Attempt = Readonly<{ password: string; ip: Ip; secure: boolean; form: boolean; headers: Headers }>;

/**
 * The sign-in to the dashboard. The guard judges each attempt before and after the password is verified, as it does for
 * mailboxes. Without the guard nobody can sign in.
 */
export class DashboardSignIn {
  readonly #parts: ApiParts;
  readonly #sessions: DashboardSessions;
  readonly #key = randomBytes(32);
  readonly #lanes = new LoginLanes();

  constructor(parts: ApiParts, sessions: DashboardSessions) {
    this.#parts = parts;
    this.#sessions = sessions;
  }

  async try(attempt: Attempt): Promise<Response> {
    const lane = this.#laneOf(attempt);
    if (!(await this.#lanes.enter(lane))) return loginRefused(429);
    try {
      return await this.#judged(attempt);
    } finally {
      this.#lanes.leave(lane);
    }
  }

  #laneOf({ ip, headers }: Attempt): Lane {
    if (isKnownDevice(headers, this.#parts.credentials.adminHash())) return { name: "device", reserved: true };
    return { name: prefixOf(ip, this.#parts.settings.ipv6Prefix), reserved: false };
  }

  async #judged({ password, ip, secure, form }: Attempt): Promise<Response> {
    const { guard, credentials, passwords, clock } = this.#parts;
    const asked = await guard.ask(ACTOR, { verb: "dashboard_ask", ip });
    if (!asked.ok) return guardDown();
    if (asked.result.verdict === "refuse" || asked.result.verdict === "defer") return loginRefused(429);
    if (asked.result.verdict === "delay") await wait(LOGIN_DELAY_SECONDS * SECOND_MS);

    const hash = credentials.adminHash();
    const success = (await passwords.verify(hash ?? passwords.decoy, password)) && hash !== null;
    const passwordHash = this.#proofOf(password);
    const report = { verb: "dashboard_login", ip, passwordHash, success } as const;
    const reported = await guard.ask(ACTOR, report);
    // Logged even if the guard could not record it. Right and wrong passwords then get the same answer.
    if (!success) this.#parts.signInRefused(ip);
    if (!reported.ok) return guardDown();
    if (!success || hash === null) return loginRefused(401);

    const maxAge = API_LIMITS.sessionIdleMs / SECOND_MS;
    const session = sessionCookie(this.#sessions.open(hash, clock.now()), secure, maxAge);
    const headers = new Headers({ "set-cookie": session });
    headers.append("set-cookie", deviceCookie(hash, secure));
    if (!form) return Response.json({ name: LOGIN }, { headers });
    headers.set("location", "/");
    return new Response(null, { status: 303, headers });
  }

  leave(headers: Headers, secure: boolean): Response {
    this.#sessions.close(sessionSecret(headers) ?? "");
    return new Response(null, { status: 204, headers: { "set-cookie": sessionCookie("", secure, 0) } });
  }

  /** Lets the guard tell passwords apart without revealing them: 12 bits, as Dovecot's auth policy sends. */
  #proofOf(password: string): string {
    return createHmac("sha256", this.#key).update(password).digest("hex").slice(0, 3);
  }
}
