import { parseAccountName } from "../core/address.ts";
import { parsePrefix } from "../core/ip.ts";
import { isJailName } from "../core/jails.ts";
import { KEEPER_NOTICES, type KeeperCommand, type KeeperReply, type KeeperTrouble } from "./control.ts";

const RESTARTABLE = ["postfix", "dovecot", "web", "guard", "fail2ban"] as const;

/** One line of the keeper's socket. Null for anything but a command whose every word fits its grammar. */
export function parseKeeperCommand(line: string): KeeperCommand | null {
  const fields = parseObject(line);
  switch (fields?.["verb"]) {
    case "ping":
    case "apply":
    case "status":
      return { verb: fields["verb"] };
    case "kick_account": {
      const account = parseAccountName(text(fields["account"]));
      return account === null ? null : { verb: "kick_account", account };
    }
    case "kick_network": {
      const prefix = parsePrefix(text(fields["prefix"]));
      return prefix === null ? null : { verb: "kick_network", prefix };
    }
    case "mail_ban":
      return parseMailBan(fields);
    case "restart": {
      const service = RESTARTABLE.find((name) => name === fields["service"]);
      return service === undefined ? null : { verb: "restart", service };
    }
    default:
      return null;
  }
}

function parseMailBan(fields: Readonly<Record<string, unknown>>): KeeperCommand | null {
  const prefix = parsePrefix(text(fields["prefix"]));
  const jail = text(fields["jail"]);
  const failures = wholeNumber(fields["failures"]);
  const unsaid = wholeNumber(fields["unsaid"]);
  const lastsMs = fields["lastsMs"] === null ? null : (wholeNumber(fields["lastsMs"]) ?? -1);
  if (prefix === null || !isJailName(jail) || failures === null || unsaid === null || lastsMs === -1) return null;
  return { verb: "mail_ban", prefix, jail, failures, lastsMs, unsaid };
}

/** Null unless it is a whole number from 0 on. */
function wholeNumber(value: unknown): number | null {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

export function parseKeeperReply(line: string): KeeperReply | null {
  const fields = parseObject(line);
  if (fields?.["ok"] === false) return { ok: false, reason: text(fields["reason"]) };
  if (fields?.["ok"] !== true) return null;
  const services = fields["services"];
  const detail = text(fields["detail"]);
  const troubles = fields["troubles"];
  return {
    ok: true,
    detail,
    ...(Array.isArray(services) ? { services: services.flatMap(parseService) } : {}),
    ...(Array.isArray(troubles) ? { troubles: troubles.flatMap(parseTrouble) } : {}),
  };
}

function parseTrouble(value: unknown): readonly KeeperTrouble[] {
  const fields = asRecord(value);
  const code = KEEPER_NOTICES.find((name) => name === fields?.["code"]);
  return code === undefined ? [] : [{ code, detail: text(fields?.["detail"]) }];
}

type ServiceState = Readonly<{ name: string; up: boolean; pid: number | null }>;

function parseService(value: unknown): readonly ServiceState[] {
  const fields = asRecord(value);
  const pid = fields?.["pid"];
  return fields === null
    ? []
    : [{ name: text(fields["name"]), up: fields["up"] === true, pid: typeof pid === "number" ? pid : null }];
}

function parseObject(line: string): Readonly<Record<string, unknown>> | null {
  try {
    return asRecord(JSON.parse(line));
  } catch {
    return null;
  }
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : null;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
