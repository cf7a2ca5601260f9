import { JAILS, type Jail, type JailName, OWN_JAIL } from "../core/decide/jails.ts";
import { defaultOf, type SettingKey, type Settings } from "./schema.ts";
import type { Conflict } from "./setting.ts";

export type JailInForce = Omit<Jail, "name"> & Readonly<{ name: JailName; enabled: boolean }>;

export function jailsOf(settings: Settings): readonly JailInForce[] {
  return JAILS.map(({ name, kind }) => ({
    name,
    kind,
    enabled: settings[`fail2ban.jails.${name}.enabled`],
    limit: settings[`fail2ban.jails.${name}.maxretry`],
    windowMs: settings[`fail2ban.jails.${name}.findtime`],
    banMs: settings[`fail2ban.jails.${name}.bantime`],
  }));
}

/** The jail of each of the owner's own filters. */
export function ownJailOf(settings: Settings): Omit<Jail, "name"> {
  return {
    kind: OWN_JAIL.kind,
    limit: settings["fail2ban.own_filters.maxretry"],
    windowMs: settings["fail2ban.own_filters.findtime"],
    banMs: settings["fail2ban.own_filters.bantime"],
  };
}

type Counted = "limits.logins.failures" | "limits.recipients.unknown_per_hour";

/** Our limit that counts the same as a jail. The guard bans at the `failures`-th wrong password, but after the last allowed recipient. */
const SAME: Readonly<Partial<Record<JailName, Readonly<{ key: Counted; firstBeyond: 0 | 1 }>>>> = {
  postfix: { key: "limits.recipients.unknown_per_hour", firstBeyond: 1 },
  "ghostinbox-smtp-abuse": { key: "limits.recipients.unknown_per_hour", firstBeyond: 1 },
  dovecot: { key: "limits.logins.failures", firstBeyond: 0 },
  "postfix-auth": { key: "limits.logins.failures", firstBeyond: 0 },
  "ghostinbox-dashboard": { key: "limits.logins.failures", firstBeyond: 0 },
};

/** Jails whose reports ban before a limit that the owner raised. A limit below its default was not raised. */
export function undercutLimits(settings: Settings): readonly Conflict[] {
  if (!settings["fail2ban.enabled"] || settings["fail2ban.sentences"] !== "all") return [];
  return jailsOf(settings).flatMap(({ name, enabled, limit }) => {
    const same = SAME[name];
    if (!enabled || same === undefined || !isRaised(settings, same.key)) return [];
    if (limit >= settings[same.key] + same.firstBeyond) return [];
    const where: SettingKey = `fail2ban.jails.${name}.maxretry`;
    const says = `${where} = ${limit} bans before ${same.key} = ${settings[same.key]} is reached, because fail2ban.sentences is "all"; raise it too, or set fail2ban.sentences to "unjudged".`;
    return [{ where, says }];
  });
}

function isRaised(settings: Settings, key: Counted): boolean {
  return settings[key] > Number(defaultOf(key).value);
}
