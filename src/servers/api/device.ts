import { createHmac, timingSafeEqual } from "node:crypto";
import { cookieNamed } from "./access.ts";

const COOKIE = "ghostinbox_device";
const MAX_AGE_SECONDS = 180 * 86_400;

/**
 * Whether this browser has signed in with the current password. It grants no access. It only gives the browser its own
 * queue at the sign-in, which no stranger can fill (OWASP, "Slow Down Online Guessing Attacks with Device Cookies").
 */
export function isKnownDevice(headers: Headers, adminHash: string | null): boolean {
  const shown = cookieNamed(headers, COOKIE);
  if (shown === null || adminHash === null) return false;
  const [given, right] = [Buffer.from(shown), Buffer.from(proofOf(adminHash))];
  return given.length === right.length && timingSafeEqual(given, right);
}

/** Sent with each sign-in; a new password makes it invalid. */
export function deviceCookie(adminHash: string, secure: boolean): string {
  const attributes = `Path=/api/v1/login; HttpOnly; SameSite=Strict; Max-Age=${MAX_AGE_SECONDS}`;
  return `${COOKIE}=${proofOf(adminHash)}; ${attributes}${secure ? "; Secure" : ""}`;
}

function proofOf(adminHash: string): string {
  return createHmac("sha256", adminHash).update(COOKIE).digest("base64url");
}
