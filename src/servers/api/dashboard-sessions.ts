import { createHash, randomBytes } from "node:crypto";
import { BoundedMap } from "../../core/bounded-map.ts";
import { later, type Millis } from "../../core/time.ts";
import { API_LIMITS } from "./limits.ts";

type Session = { readonly passwordHash: string; readonly startedAt: Millis; usedAt: Millis };

/**
 * Dashboard sessions, in memory: a restart ends them all. At most `API_LIMITS.sessions`; the least recently used is
 * removed first. A session ends when the password with which it began is changed.
 */
export class DashboardSessions {
  /** By digest, so memory holds no usable secret. Ordered by last use. */
  readonly #byDigest = new BoundedMap<string, Session>(API_LIMITS.sessions);

  /** Returns the secret for the cookie. */
  open(passwordHash: string, now: Millis): string {
    const secret = randomBytes(32).toString("base64url");
    this.#byDigest.set(secretDigest(secret), { passwordHash, startedAt: now, usedAt: now });
    return secret;
  }

  /** True if the session is valid; this counts as its use. */
  use(secret: string, passwordHash: string | null, now: Millis): boolean {
    const digest = secretDigest(secret);
    const session = this.#byDigest.get(digest);
    if (session === undefined) return false;
    this.#byDigest.delete(digest);
    if (!stands(session, passwordHash, now)) return false;
    session.usedAt = now;
    this.#byDigest.set(digest, session);
    return true;
  }

  /** True if the session is valid; this does not count as its use. */
  stands(secret: string, passwordHash: string | null, now: Millis): boolean {
    const session = this.#byDigest.get(secretDigest(secret));
    return session !== undefined && stands(session, passwordHash, now);
  }

  close(secret: string): void {
    this.#byDigest.delete(secretDigest(secret));
  }
}

export function secretDigest(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

function stands({ passwordHash, usedAt, startedAt }: Session, presentHash: string | null, now: Millis): boolean {
  const idleUntil = later(usedAt, API_LIMITS.sessionIdleMs);
  return passwordHash === presentHash && now < idleUntil && now < later(startedAt, API_LIMITS.sessionAgeMs);
}
