import { ALERT_KINDS, SEVERITIES } from "../../core/alerts/alerts.ts";
import { isJailName } from "../../core/decide/jails.ts";
import { parseAccountName } from "../../core/net/address.ts";
import { parsePrefix } from "../../core/net/ip.ts";
import { instant } from "../../core/time.ts";
import { KEEPER_NOTICES, type KeeperCommand, type KeeperReply, type KeeperTrouble } from "./control.ts";

/** The last instant that can be written as a date (ECMA-262, 21.4.1.1). */
const LATEST_MS = 8.64e15;
/** Bytes of UTF-8 that the guard keeps to. */
const ALERT_TITLE = 400;
export const ALERT_BODY = 12_000;

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
    case "mail_alert":
      return parseMailAlert(fields);
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

function parseMailAlert(fields: Readonly<Record<string, unknown>>): KeeperCommand | null {
  const kind = ALERT_KINDS.find((name) => name === fields["kind"]);
  const severity = SEVERITIES.find((name) => name === fields["severity"]);
  const at = wholeNumber(fields["at"]);
  const [id, title, body] = [text(fields["id"]), text(fields["title"]), text(fields["body"])];
  if (kind === undefined || severity === undefined || at === null || at > LATEST_MS) return null;
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(id) || !isOneLine(title, ALERT_TITLE)) return null;
  if (Buffer.byteLength(body) > ALERT_BODY || !body.split("\n").every((line) => isOneLine(line, ALERT_BODY)))
    return null;
  return { verb: "mail_alert", id, kind, at: instant(at), severity, title, body };
}

/** It ends no header, and no line of a mail. */
function isOneLine(line: string, most: number): boolean {
  return line.length <= most && !/[\p{Cc}\p{Cs}]/u.test(line);
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
