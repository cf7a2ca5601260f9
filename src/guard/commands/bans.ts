import type { CommandError, OrderOf, Reply } from "../../admin/declare/control.ts";
import { banItem } from "../../admin/declare/items.ts";
import { ascending, type PageRequest, pageOf } from "../../admin/declare/paging.ts";
import type { Decision } from "../../core/decide/decision.ts";
import type { Event } from "../../core/events/event.ts";
import { reasons } from "../../core/events/reasons.ts";
import { isTooWide, type Prefix, parseIp, parsePrefix } from "../../core/net/ip.ts";
import { isoTime, isoTimeOrNull, parseDuration } from "../../core/time.ts";
import { expireBans } from "../enforce/end-bans.ts";
import type { Engine } from "../engine.ts";
import type { Clock } from "../ports.ts";
import type { BanLog, History } from "../storage-ports.ts";
import { failed, type RunOf, usage } from "./refusals.ts";

/** What a command on a network needs; a dry run has its own versions. */
export type NetworkCommandParts = Readonly<{
  engine: Pick<Engine, "ask" | "policy" | "prefixOf">;
  history: Pick<History, "ban" | "bansWithin">;
}>;
export type BanCommandParts = Readonly<{ engine: Engine; history: History; banLog: BanLog; clock: Clock }>;
/** Maximum listed bans that an allow entry ended. */
const LIFTED_NAMED = 50;

export const ban: RunOf<"ban", NetworkCommandParts> = async (parts, command, by) => {
  const prefix = targetOf(parts.engine, command.target);
  if (prefix === null) return noTarget(command.target);
  const durationMs = durationOf(command.for, parts.engine.policy.bans.manualMs);
  if (durationMs === undefined) return noDuration(command.for);
  const note = command.note === "" ? "Banned by hand" : command.note;
  const error = await decided(parts.engine, { type: "BAN_ASKED", prefix, note, durationMs, by }, prefix);
  if (error !== null) return error;
  const made = parts.history.ban(prefix);
  return made === null ? failed(`${prefix} was unbanned at once.`, "") : { ok: true, result: { ban: banItem(made) } };
};

export const unban: RunOf<"unban", NetworkCommandParts> = async (parts, command, by) => {
  const prefix = targetOf(parts.engine, command.target);
  if (prefix === null) return noTarget(command.target);
  const error = await decided(parts.engine, { type: "UNBAN_ASKED", prefix, by }, prefix);
  return error ?? { ok: true, result: { prefix } };
};

export const allowAdd: RunOf<"allow_add", NetworkCommandParts> = async (parts, command, by) => {
  const prefix = parsePrefix(command.target);
  if (prefix === null) return noTarget(command.target);
  if (isTooWide(prefix))
    return usage(`${prefix} is too wide: nothing in it could be banned.`, "The widest are /8, and /16 of IPv6.");
  const durationMs = durationOf(command.for, null);
  if (durationMs === undefined) return noDuration(command.for);
  const lifted = parts.history.bansWithin(prefix).map((standing) => standing.prefix);
  const error = await decided(
    parts.engine,
    { type: "ALLOW_ASKED", prefix, note: command.note, durationMs, by },
    prefix,
  );
  return error ?? { ok: true, result: { prefix, lifted: lifted.slice(0, LIFTED_NAMED), liftedTotal: lifted.length } };
};

export const allowRemove: RunOf<"allow_remove", NetworkCommandParts> = async (parts, command, by) => {
  const prefix = parsePrefix(command.target);
  if (prefix === null) return noTarget(command.target);
  if (parts.engine.policy.allow.includes(prefix))
    return failed(`${prefix} is on the list of the settings.`, "Take it out of allow.networks in ghostinbox.toml.");
  const error = await decided(parts.engine, { type: "DISALLOW_ASKED", prefix, by }, prefix);
  return error ?? { ok: true, result: { prefix } };
};

export function allowList({ engine, history }: BanCommandParts, asked: PageRequest): Reply<"allow_list"> {
  const at = isoTime(engine.startedAt);
  const fromSettings = engine.policy.allow.map((prefix, place) => ({
    key: `settings/${ascending(place)}`,
    item: { prefix, note: "allow.networks", by: "settings", at, expiresAt: null, from: "settings" as const },
  }));
  const added = history.allowed().map((entry) => ({
    key: `then/${ascending(entry.at)}/${entry.prefix}`,
    item: {
      prefix: entry.prefix,
      note: entry.note,
      by: entry.by,
      at: isoTime(entry.at),
      expiresAt: isoTimeOrNull(entry.expiresAt),
      from: "command" as const,
    },
  }));
  const page = pageOf([...fromSettings, ...added], asked, ({ key }) => key);
  return { ok: true, result: { ...page, items: page.items.map(({ item }) => item) } };
}

/** Uses the rule that decides bans, so both always agree. */
export function protection({ engine }: BanCommandParts, { target }: OrderOf<"protection">): Reply<"protection"> {
  const prefix = targetOf(engine, target);
  return prefix === null ? noTarget(target) : { ok: true, result: { prefix, reason: engine.protectionOf(prefix) } };
}

export async function cleanup({ engine, banLog, clock }: BanCommandParts): Promise<Reply<"cleanup">> {
  return { ok: true, result: { expired: await expireBans(engine, banLog, clock) } };
}

/** An address means its prefix: the address itself, or its IPv6 network. A network is used as given. */
function targetOf(engine: Pick<Engine, "prefixOf">, text: string): Prefix | null {
  const ip = parseIp(text);
  return ip === null ? parsePrefix(text) : engine.prefixOf(ip);
}

function durationOf(text: string | null, otherwiseMs: number | null): number | null | undefined {
  if (text === null) return otherwiseMs;
  if (text === "permanent") return null;
  const durationMs = parseDuration(text);
  return durationMs === null || durationMs === 0 ? undefined : durationMs;
}

async function decided(engine: Pick<Engine, "ask">, event: Event, prefix: Prefix): Promise<CommandError | null> {
  const decision: Decision = await engine.ask(event);
  if (decision.verdict === "pass" && decision.reason !== "not_recorded") return null;
  const { says, next } = reasons[decision.reason];
  const whole = decision.reason === "not_recorded" ? says : `${prefix}: ${says}`;
  return failed(event.type === "BAN_ASKED" ? `Not banned. ${whole}` : whole, next);
}

function noDuration(text: string | null): CommandError {
  return usage(`“${text}” is not a length of time.`, "Write it as 45s, 30m, 2h or 7d.");
}

function noTarget(text: string): CommandError {
  return usage(`“${text}” is not an IP address or network.`, "Write it as 203.0.113.7 or 2001:db8::/64.");
}
