import { undercutLimits } from "./jails.ts";
import { type PortSetting, PROXIED_KEYS, portSettings, proxiedPorts } from "./ports.ts";
import type { SettingKey, Settings } from "./schema.ts";
import type { Conflict, SettingProblem } from "./setting.ts";

/** Settings that are valid individually but not together. */
export function findConflicts(settings: Settings): readonly SettingProblem[] {
  const found = [...brokenRules(settings), ...sharedPorts(settings), ...halfSet(settings)];
  return found.map((conflict) => ({ ...conflict, line: null }));
}

function brokenRules(settings: Settings): readonly Conflict[] {
  const { "spam.refuse_score": refuse, "firewall.enabled": hasFirewall, "dkim.selector": selector } = settings;
  const rules: readonly (Conflict & Readonly<{ isBroken: boolean }>)[] = [
    {
      where: "spam.refuse_score",
      isBroken: refuse !== 0 && refuse < settings["spam.required_score"],
      says: "spam.refuse_score must be 0, or at least spam.required_score.",
    },
    {
      where: "export.syslog.host",
      isBroken: settings["export.syslog.enabled"] && settings["export.syslog.host"] === "",
      says: "export.syslog.host must be set too, because export.syslog.enabled is true.",
    },
    {
      // Postfix trusts the header of each client that can connect.
      where: "proxy.networks",
      isBroken: settings["proxy.networks"].length > 0 && !hasFirewall,
      says: "firewall.enabled must be true while proxy.networks is set: nothing else keeps forged headers out.",
    },
    {
      // This also keeps the name of the key's file and `mail.DOMAIN` within their limits.
      where: "dkim.selector",
      isBroken: settings.domains.some((domain) => `${selector}._domainkey.${domain}`.length > 253),
      says: "dkim.selector or the longest domain must be shorter: SELECTOR._domainkey.DOMAIN has at most 253 characters.",
    },
    {
      where: "firewall.mode",
      isBroken: settings["firewall.mode"] !== "bans" && !hasFirewall,
      says: 'firewall.mode must be "bans", because firewall.enabled is false.',
    },
  ];
  return rules.filter(({ isBroken }) => isBroken).map(({ where, says }) => ({ where, says }));
}

function sharedPorts(settings: Settings): readonly Conflict[] {
  // Postfix and Dovecot listen on all addresses, including the resolver's.
  const taken = new Map<number, PortSetting | "dns.address">([[53, "dns.address"]]);
  const closed: readonly PortSetting[] = proxiedPorts(settings) === null ? PROXIED_KEYS : [];
  const open = portSettings().filter((key) => !closed.includes(key));
  return open.flatMap((where) => {
    const port = settings[where];
    const other = taken.get(port);
    if (other !== undefined) return [{ where, says: `${where} must not be ${port}, the port of ${other}.` }];
    taken.set(port, where);
    return [];
  });
}

/** Each needs the other to be set too. */
const NEEDS: readonly (readonly [missing: SettingKey, given: SettingKey])[] = [
  ["tls.cert", "tls.key"],
  ["tls.key", "tls.cert"],
  ["outbound.relay", "outbound.relay_user"],
  ["outbound.relay_user", "outbound.relay_password_file"],
  ["outbound.relay_password_file", "outbound.relay_user"],
  ["alerts.relay", "alerts.relay_to"],
  ["alerts.relay_to", "alerts.relay"],
  ["alerts.relay", "alerts.relay_user"],
  ["alerts.relay_user", "alerts.relay_password_file"],
  ["alerts.relay_password_file", "alerts.relay_user"],
  ["alerts.gotify_token_file", "alerts.gotify"],
  ["export.syslog.cert", "export.syslog.key"],
  ["export.syslog.key", "export.syslog.cert"],
];

function halfSet(settings: Settings): readonly Conflict[] {
  const isEmpty = (key: SettingKey): boolean => {
    const value = settings[key];
    return value === "" || (Array.isArray(value) && value.length === 0);
  };
  return NEEDS.filter(([missing, given]) => isEmpty(missing) && !isEmpty(given)).map(([where, given]) => ({
    where,
    says: `${where} must be set too, because ${given} is.`,
  }));
}

/** Allowed settings that may do something unexpected. */
export function warningsOf(settings: Settings): readonly Conflict[] {
  return [...undercutLimits(settings), ...deferredEarlier(settings), ...trustedForgers(settings)];
}

function deferredEarlier(settings: Settings): readonly Conflict[] {
  const [where, limit] = ["limits.mail.postfix_per_minute", "limits.mail.per_minute"] as const;
  if (settings[where] >= settings[limit]) return [];
  const says = `${where} = ${settings[where]} defers mail before ${limit} = ${settings[limit]} is reached; raise it too.`;
  return [{ where, says }];
}

function trustedForgers(settings: Settings): readonly Conflict[] {
  const trusted = settings["spam.allow_from"];
  if (trusted.length === 0) return [];
  const says = `spam.allow_from trusts any sender who claims to be ${trusted.join(" or ")}, including forgers; \`spam allow add\` asks for proof.`;
  return [{ where: "spam.allow_from", says }];
}
