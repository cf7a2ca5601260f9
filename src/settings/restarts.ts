import { WEB_KEYS } from "./for-web.ts";
import type { Settings } from "./schema.ts";

type Program = "guard" | "web";

/** What a program reads only when it starts. If the value changes, the program must be restarted. */
const READ_AT_START = {
  guard: [
    "detection.psad.bantime",
    "detection.psad.danger_level",
    "detection.psad.file",
    "detection.psad.findtime",
    "detection.psad.maxretry",
    "detection.suricata.bantime",
    "detection.suricata.file",
    "detection.suricata.findtime",
    "detection.suricata.maxretry",
    "detection.suricata.severity",
    "events.max_age",
    "events.max_rows",
    "events.max_size",
    "firewall.enabled",
    "http.trusted_proxies",
    "ports.login_policy",
    "ports.proxied_imaps",
    "ports.proxied_smtp",
    "ports.proxied_submission",
    "ports.proxied_submissions",
    "ports.sieve_mail",
    "proxy.networks",
    "proxy.user",
  ],
  web: WEB_KEYS,
} as const satisfies Record<Program, readonly (keyof Settings)[]>;

/** What only the next `npm start` applies, because it decides which services there are. */
const NEXT_START: readonly (keyof Settings)[] = [
  "export.syslog.enabled",
  "fail2ban.enabled",
  "spam.enabled",
  "spam.processes",
];

/** The changed keys that wait for the next `npm start`. */
export function waitingForStart(changed: readonly string[]): readonly string[] {
  return NEXT_START.filter((key) => changed.includes(key));
}

/** The programs for which one of these keys changed; the guard first, because the web asks it. */
export function programsToRestart(changed: readonly string[]): readonly Program[] {
  const programs: readonly Program[] = ["guard", "web"];
  return programs.filter((program) => READ_AT_START[program].some((key) => changed.includes(key)));
}
