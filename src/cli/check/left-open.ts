import type { Settings } from "../../settings/schema.ts";
import { PROGRAM } from "../call.ts";

/** What a setting leaves open: it is no fault, but the owner should know before going live. */
export type LeftOpen = Readonly<{ setting: string; leaves: string; change: string }>;
type Asked = Pick<Settings, "firewall.mode" | "fail2ban.enabled" | "fail2ban.sentences">;

export function leftOpen(settings: Asked): readonly LeftOpen[] {
  const set = (setting: string, value: string, leaves: string): LeftOpen => ({
    setting,
    leaves,
    change: `${PROGRAM} config set ${setting} ${value}`,
  });
  return [
    ...(settings["firewall.mode"] === "bans"
      ? [
          set(
            "firewall.mode",
            "strict",
            "Every port on which a program of this machine listens can be reached from outside: the firewall only drops banned addresses.",
          ),
        ]
      : []),
    ...(!settings["fail2ban.enabled"]
      ? [set("fail2ban.enabled", "true", "Fail2ban is off: only the guard's own limits ban.")]
      : settings["fail2ban.sentences"] === "unjudged"
        ? [
            set(
              "fail2ban.sentences",
              "all",
              "Jails ignore offences that the guard judged: three wrong passwords cause no ban, and postfix-rbl never bans, because the guard already refused the client.",
            ),
          ]
        : []),
  ];
}
