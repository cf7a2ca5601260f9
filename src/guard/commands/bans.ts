import type { CommandError, ParsedCommandOf, Reply } from "../../admin/declare/control.ts";
import { banItem } from "../../admin/declare/items.ts";
import { ascending, type PageRequest, pageOf } from "../../admin/declare/paging.ts";
import type { Decision } from "../../core/decide/decision.ts";
import type { NetworkEvent } from "../../core/events/event.ts";
import { reasons } from "../../core/events/reasons.ts";
import { isTooWide, type Prefix, parseIp, parsePrefix } from "../../core/net/ip.ts";
import { isoTime, isoTimeOrNull, parseDuration } from "../../core/time.ts";
import { expireBans } from "../enforce/end-bans.ts";
import type { Engine } from "../engine.ts";
import type { Clock } from "../ports.ts";
import type { BanLog, BansInForce } from "../storage-ports.ts";
import { failed, type RunOf, usage } from "./refusals.ts";

/** Needed by commands that the engine decides on. In a dry run, `ask` only decides. */
export type NetworkDecisionParts = Readonly<{
  engine: Pick<Engine, "policy" | "prefixOf"> & Readonly<{ ask: (event: NetworkEvent) => Promise<Decision> }>;
  bansInForce: Pick<BansInForce, "bansWithin">;
}>;
export type BanListParts = Readonly<{ engine: Engine; bansInForce: BansInForce; banLog: BanLog; clock: Clock }>;
/** Maximum listed bans that an allow entry ended. */
const LIFTED_NAMED = 50;

export const ban: RunOf<"ban", NetworkDecisionParts> = async (parts, command, by) => {
  const prefix = targetOf(parts.engine, command.target);
  if (prefix === null) return noTarget(command.target);
  const durationMs = durationOf(command.for, parts.engine.policy.bans.manualMs);
  if (durationMs === undefined) return noDuration(command.for);
  const note = command.note === "" ? "Banned by hand" : command.note;
  const outcome = await decided(parts.engine, { type: "BAN_ASKED", prefix, note, durationMs, by });
  if (!outcome.ok) return outcome;
  const made = outcome.changes.find((change) => change.type === "BAN");
  if (made === undefined) throw new Error("a ban was decided without its change");
  return { ok: true, result: { ban: banItem(made.ban) } };
};

export const unban: RunOf<"unban", NetworkDecisionParts> = async (parts, command, by) => {
  const prefix = targetOf(parts.engine, command.target);
  if (prefix === null) return noTarget(command.target);
  const outcome = await decided(parts.engine, { type: "UNBAN_ASKED", prefix, by });
  return outcome.ok ? { ok: true, result: { prefix } } : outcome;
};

export const allowAdd: RunOf<"allow_add", NetworkDecisionParts> = async (parts, command, by) => {
  const prefix = parsePrefix(command.target);
  if (prefix === null) return noTarget(command.target);
  if (isTooWide(prefix))
    return usage(`${prefix} is too wide: nothing in it could be banned.`, "The widest are /8, and /16 of IPv6.");
  const durationMs = durationOf(command.for, null);
  if (durationMs === undefined) return noDuration(command.for);
  const lifted = parts.bansInForce.bansWithin(prefix).map((standing) => standing.prefix);
  const outcome = await decided(parts.engine, { type: "ALLOW_ASKED", prefix, note: command.note, durationMs, by });
  if (!outcome.ok) return outcome;
  return { ok: true, result: { prefix, lifted: lifted.slice(0, LIFTED_NAMED), liftedTotal: lifted.length } };
};

export const allowRemove: RunOf<"allow_remove", NetworkDecisionParts> = async (parts, command, by) => {
  const prefix = parsePrefix(command.target);
  if (prefix === null) return noTarget(command.target);
  if (parts.engine.policy.allow.includes(prefix))
    return failed(`${prefix} is on the list of the settings.`, "Take it out of allow.networks in ghostinbox.toml.");
  const outcome = await decided(parts.engine, { type: "DISALLOW_ASKED", prefix, by });
  return outcome.ok ? { ok: true, result: { prefix } } : outcome;
};

export function allowList({ engine, bansInForce }: BanListParts, asked: PageRequest): Reply<"allow_list"> {
  const at = isoTime(engine.startedAt);
  const fromSettings = engine.policy.allow.map((prefix, place) => ({
    key: `settings/${ascending(place)}`,
    item: { prefix, note: "allow.networks", by: "settings", at, expiresAt: null, from: "settings" as const },
  }));
  const added = bansInForce.allowed().map((entry) => ({
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
export function protection({ engine }: BanListParts, { target }: ParsedCommandOf<"protection">): Reply<"protection"> {
  const prefix = targetOf(engine, target);
  return prefix === null ? noTarget(target) : { ok: true, result: { prefix, reason: engine.protectionOf(prefix) } };
}

export async function cleanup({ engine, banLog, clock }: BanListParts): Promise<Reply<"cleanup">> {
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

async function decided(
  engine: NetworkDecisionParts["engine"],
  event: NetworkEvent,
): Promise<Readonly<{ ok: true; changes: Decision["changes"] }> | CommandError> {
  const { verdict, reason, changes } = await engine.ask(event);
  if (verdict === "pass" && reason !== "not_recorded") return { ok: true, changes };
  const { says, next } = reasons[reason];
  const whole = reason === "not_recorded" ? says : `${event.prefix}: ${says}`;
  return failed(event.type === "BAN_ASKED" ? `Not banned. ${whole}` : whole, next);
}

function noDuration(text: string | null): CommandError {
  return usage(`“${text}” is not a length of time.`, "Write it as 45s, 30m, 2h or 7d.");
}

function noTarget(text: string): CommandError {
  return usage(`“${text}” is not an IP address or network.`, "Write it as 203.0.113.7 or 2001:db8::/64.");
}
