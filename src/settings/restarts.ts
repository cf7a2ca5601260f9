import { WEB_KEYS } from "./for-web.ts";
import type { Settings } from "./schema.ts";

type Program = "guard" | "web";

/** What a program reads only when it starts. If the value changes, the program must be restarted. */
const READ_AT_START = {
  guard: [
    "events.max_age",
    "events.max_rows",
    "events.max_size",
    "firewall.enabled",
    "http.trusted_proxies",
    "ports.login_policy",
  ],
  web: WEB_KEYS,
} as const satisfies Record<Program, readonly (keyof Settings)[]>;

/** What only the next `npm start` applies, because it decides which services there are. */
const NEXT_START: readonly (keyof Settings)[] = ["fail2ban.enabled", "spam.enabled"];

/** The changed keys that wait for the next `npm start`. */
export function waitingForStart(changed: readonly string[]): readonly string[] {
  return NEXT_START.filter((key) => changed.includes(key));
}

/** The programs for which one of these keys changed; the guard first, because the web asks it. */
export function programsToRestart(changed: readonly string[]): readonly Program[] {
  const programs: readonly Program[] = ["guard", "web"];
  return programs.filter((program) => READ_AT_START[program].some((key) => changed.includes(key)));
}
