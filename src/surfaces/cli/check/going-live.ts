import type { Settings } from "../../../settings/schema.ts";
import { PROGRAM } from "../call.ts";
import type { State } from "./check.ts";
import type { CheckId, GroupName, Result } from "./run-checks.ts";

/** Each of `checks` is a check or a whole group of them. */
type Point = Readonly<{ name: string; checks: readonly (CheckId | GroupName)[] }>;

/** Steps to take before a server is used, and the checks that show whether they are done. */
export const POINTS: readonly Point[] = [
  {
    name: "Change default passwords",
    checks: [
      "passwords",
      "mail-flow.sign-in-imaps",
      "mail-flow.sign-in-submission",
      "mail-flow.sign-in-submissions",
      "permissions.secrets",
    ],
  },
  { name: "Configure firewall rules", checks: ["firewall", "bans", "ports", "mail-flow.relay", "mail-flow.anonymous"] },
  { name: "Set up SSL certificates", checks: ["tls"] },
  {
    name: "Configure DNS security records",
    checks: ["dns.mx", "dns.spf", "dns.dkim", "dns.dmarc", "dns.address", "dns.reverse", "dns.resolver"],
  },
  { name: "Review and test backup procedures", checks: ["backups"] },
];

export type PointState = "done" | "open" | "unknown";
export type JudgedPoint = Readonly<{ point: string; state: PointState; checks: readonly Result[] }>;

/** A point is done if all its checks are ok. A warning leaves it open, because the owner must decide about it. */
export function judgePoints(results: readonly Result[]): readonly JudgedPoint[] {
  return POINTS.map(({ name, checks }) => {
    const those = checks.flatMap((wanted) => results.filter(({ id, group }) => id === wanted || group === wanted));
    return { point: name, state: pointState(those.map(({ state }) => state)), checks: those };
  });
}

export function groupsOfPoints(): readonly string[] {
  return [...new Set(POINTS.flatMap(({ checks }) => checks.map((id) => id.split(".", 1)[0] ?? "")))];
}

function pointState(states: readonly State[]): PointState {
  if (states.some((state) => state === "wrong" || state === "warning")) return "open";
  return states.length === 0 || states.includes("unknown") ? "unknown" : "done";
}

/** What a setting leaves open. This is not a fault, but the owner should know it before going live. */
export type LeftOpen = Readonly<{ setting: string; leaves: string; change: string }>;
type Asked = Pick<Settings, "firewall.mode" | "fail2ban.enabled" | "fail2ban.sentences" | "mailboxes.encryption">;

export function leftOpen(settings: Asked): readonly LeftOpen[] {
  const left: LeftOpen[] = [];
  const set = (setting: string, value: string, leaves: string): unknown =>
    left.push({ setting, leaves, change: `${PROGRAM} config set ${setting} ${value}` });
  if (settings["firewall.mode"] === "bans")
    set(
      "firewall.mode",
      "strict",
      "Every port on which a program of this machine listens can be reached from outside: the firewall only drops banned addresses.",
    );
  if (!settings["fail2ban.enabled"])
    set("fail2ban.enabled", "true", "Fail2ban is off: only the guard's own limits ban.");
  else if (settings["fail2ban.sentences"] === "unjudged")
    set(
      "fail2ban.sentences",
      "all",
      "Jails ignore offences that the guard judged: three wrong passwords cause no ban, and postfix-rbl never bans, because the guard already refused the client.",
    );
  if (settings["mailboxes.encryption"] === "off")
    set(
      "mailboxes.encryption",
      "server",
      "Mail is stored unencrypted: anyone with the disk can read it, unless the disk itself is encrypted.",
    );
  return left;
}
