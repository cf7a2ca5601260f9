import { undercutLimits } from "./jails.ts";
import { type SettingKey, type Settings, settingKeys } from "./schema.ts";
import type { SettingProblem } from "./setting.ts";

/** Settings that are valid alone but not together. */
export function findConflicts(settings: Settings): readonly SettingProblem[] {
  return [
    ...refusedUnmarked(settings),
    ...sharedPorts(settings),
    ...halfCertificate(settings),
    ...halfSet(settings),
    ...noReceiver(settings),
    ...openToForgers(settings),
    ...strictWithout(settings),
  ];
}

/** Postfix trusts the header of each client that can connect. */
function openToForgers(settings: Settings): readonly SettingProblem[] {
  if (settings["proxy.networks"].length === 0 || settings["firewall.enabled"]) return [];
  const says = "firewall.enabled must be true while proxy.networks is set: nothing else keeps forged headers out.";
  return [{ where: "proxy.networks", line: null, says }];
}

function strictWithout(settings: Settings): readonly SettingProblem[] {
  if (settings["firewall.enabled"] || settings["firewall.mode"] === "bans") return [];
  const where = "firewall.mode";
  return [{ where, line: null, says: `${where} must be "bans", because firewall.enabled is false.` }];
}

function noReceiver(settings: Settings): readonly SettingProblem[] {
  if (!settings["export.syslog.enabled"] || settings["export.syslog.host"] !== "") return [];
  const where = "export.syslog.host";
  return [{ where, line: null, says: `${where} must be set too, because export.syslog.enabled is true.` }];
}

function sharedPorts(settings: Settings): readonly SettingProblem[] {
  const taken = new Map<number, PortKey>();
  const problems: SettingProblem[] = [];
  for (const key of settingKeys().filter(isPort)) {
    const port = settings[key];
    const other = taken.get(port);
    if (other === undefined) taken.set(port, key);
    else
      problems.push({
        where: key,
        line: null,
        says: `${key} must not be ${JSON.stringify(port)}, the port of ${other}.`,
      });
  }
  return problems;
}

function refusedUnmarked(settings: Settings): readonly SettingProblem[] {
  const refuse = settings["spam.refuse_score"];
  if (refuse === 0 || refuse >= settings["spam.required_score"]) return [];
  const says = "spam.refuse_score must be 0, or at least spam.required_score.";
  return [{ where: "spam.refuse_score", line: null, says }];
}

type PortKey = SettingKey & `ports.${string}`;

function isPort(key: SettingKey): key is PortKey {
  return key.startsWith("ports.");
}

function halfCertificate(settings: Settings): readonly SettingProblem[] {
  const missing = settings["tls.cert"] === "" ? "tls.cert" : "tls.key";
  const given = missing === "tls.cert" ? "tls.key" : "tls.cert";
  if ((settings["tls.cert"] === "") === (settings["tls.key"] === "")) return [];
  return [{ where: missing, line: null, says: `${missing} must be set too, because ${given} is.` }];
}

/** Each needs the other to be set too. */
const NEEDS: readonly (readonly [missing: SettingKey, given: SettingKey])[] = [
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

function halfSet(settings: Settings): readonly SettingProblem[] {
  const isEmpty = (key: SettingKey): boolean => {
    const value = settings[key];
    return value === "" || (Array.isArray(value) && value.length === 0);
  };
  return NEEDS.filter(([missing, given]) => isEmpty(missing) && !isEmpty(given)).map(([missing, given]) => ({
    where: missing,
    line: null,
    says: `${missing} must be set too, because ${given} is.`,
  }));
}

/** Allowed settings that may do something unexpected. */
export function warningsOf(settings: Settings): readonly Omit<SettingProblem, "line">[] {
  return [...undercutLimits(settings), ...trustedForgers(settings)];
}

function trustedForgers(settings: Settings): readonly Omit<SettingProblem, "line">[] {
  const trusted = settings["spam.allow_from"];
  if (trusted.length === 0) return [];
  const says = `spam.allow_from trusts any sender who claims to be ${trusted.join(" or ")}, forgers too; \`spam allow add\` asks for proof.`;
  return [{ where: "spam.allow_from", says }];
}
