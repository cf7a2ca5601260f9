import type { Unbanned } from "../../admin/bans.ts";
import type { CommandError } from "../../admin/declare/control.ts";
import { banItem } from "../../admin/declare/items.ts";
import { ascending, pageByKey } from "../../admin/declare/paging.ts";
import type { Ban, Decision } from "../../core/decide/decision.ts";
import type { NetworkEvent } from "../../core/events/command.ts";
import { reasons } from "../../core/events/reasons.ts";
import { asPrefix, covering, type Ip, isPrefix, isTooWide, type Prefix } from "../../core/net/ip.ts";
import { plural } from "../../core/text.ts";
import { durationOf, isoTime, isoTimeOrNull } from "../../core/time.ts";
import { breakGlass, expireBans } from "../enforce/end-bans.ts";
import type { Engine } from "../engine.ts";
import type { Clock } from "../ports.ts";
import type { BanLog, BansInForce } from "../storage-ports.ts";
import { failed, usage } from "./refusals.ts";
import type { RunsOf } from "./run-of.ts";

/** Needed by commands that the engine decides. In a dry run, `ask` only decides. */
type BanCommandParts = Readonly<{
  engine: Pick<Engine, "policy" | "prefixOf"> & Readonly<{ ask: (event: NetworkEvent) => Promise<Decision> }>;
  bansInForce: BansInForce;
}>;
type OtherBanParts = Readonly<{ engine: Engine; bansInForce: BansInForce; banLog: BanLog; clock: Clock }>;
/** Maximum listed bans that an allow entry ended. */
const MOST_LIFTED_NAMED = 50;

export const BAN_RUNS = {
  ban: async (parts, command, by) => {
    const prefix = targetOf(parts.engine, command.target);
    const durationMs = durationMsOf(command.for, parts.engine.policy.bans.manualMs);
    const note = command.note.trim() || "Banned by hand";
    const outcome = await askEngine(parts.engine, {
      type: "BAN_ASKED",
      prefix,
      note,
      durationMs,
      keepsEnd: command.for === null,
      by,
    });
    if (!outcome.ok) return outcome;
    const made = outcome.changes.find((change) => change.type === "BAN");
    if (made === undefined) throw new Error("a ban was decided without its change");
    return { ok: true, result: { ban: banItem(made.ban) } };
  },
  unban: async (parts, command, by) => {
    const exactly = asPrefix(command.target);
    const prefix = parts.bansInForce.ban(exactly) === null ? targetOf(parts.engine, command.target) : exactly;
    const outcome = await askEngine(parts.engine, { type: "UNBAN_ASKED", prefix, by });
    return outcome.ok ? { ok: true, result: { prefix, ...stillBanned(parts.bansInForce, prefix) } } : outcome;
  },
  allow_add: async (parts, command, by) => {
    const prefix = asPrefix(command.target);
    if (isTooWide(prefix))
      return usage(`${prefix} is too wide: nothing in it could be banned.`, "The widest are /8, and /16 of IPv6.");
    const durationMs = durationMsOf(command.for, null);
    const former = parts.bansInForce.allowEntries().find((entry) => entry.prefix === prefix);
    const inForce = parts.bansInForce.bansWithin(prefix).filter(isReal);
    const lifted = inForce.map((ban) => ban.prefix);
    const outcome = await askEngine(parts.engine, { type: "ALLOW_ASKED", prefix, note: command.note, durationMs, by });
    if (!outcome.ok) return outcome;
    const made = outcome.changes.find((change) => change.type === "ALLOW");
    const isKept = former !== undefined && durationMs !== null && made?.expiresAt === former.expiresAt;
    const kept = {
      ...(isKept && { keptEnd: isoTimeOrNull(former.expiresAt) }),
      ...(former !== undefined && made?.note !== command.note && { keptNote: former.note }),
    };
    return {
      ok: true,
      result: { prefix, lifted: lifted.slice(0, MOST_LIFTED_NAMED), liftedTotal: lifted.length, ...kept },
    };
  },
  allow_remove: async (parts, command, by) => {
    const prefix = asPrefix(command.target);
    if (parts.engine.policy.allow.includes(prefix))
      return failed(`${prefix} is allowed in the settings.`, "Remove it from allow.networks in ghostinbox.toml.");
    const outcome = await askEngine(parts.engine, { type: "DISALLOW_ASKED", prefix, by });
    return outcome.ok ? { ok: true, result: { prefix } } : outcome;
  },
} satisfies RunsOf<BanCommandParts>;

/** Commands without a dry run, so `engine` is always the real one. */
export const OTHER_BAN_RUNS = {
  allow_list: ({ engine, bansInForce }, asked) => {
    const at = isoTime(engine.startedAt);
    const fromSettings = engine.policy.allow.map((prefix, place) => ({
      key: `settings/${ascending(place)}`,
      item: { prefix, note: "allow.networks", by: "settings", at, expiresAt: null, from: "settings" as const },
    }));
    const added = bansInForce.allowEntries().map((entry) => ({
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
    const page = pageByKey([...fromSettings, ...added], asked, ({ key }) => key);
    return { ok: true, result: { ...page, items: page.items.map(({ item }) => item) } };
  },
  /** Uses the rule that decides bans, so both always agree. */
  protection: ({ engine }, { target }) => {
    const prefix = targetOf(engine, target);
    return { ok: true, result: { prefix, reason: engine.protectionOf(prefix) } };
  },
  cleanup: async ({ engine, banLog, clock }) => ({
    ok: true,
    result: { expired: await expireBans(engine, banLog, clock) },
  }),
  break_glass: async (parts, _, by) => {
    const { lifted, left, isDone } = await breakGlass(parts, by);
    if (isDone) return { ok: true, result: { lifted } };
    const message = `The database could not be written: it still has ${plural(left, "ban")}, and no account's guesses were forgotten.`;
    return failed(message, "`status` shows what is wrong.");
  },
} satisfies RunsOf<OtherBanParts>;

/** An address means its prefix: the address itself, or its IPv6 network. A network is used as given. */
function targetOf(engine: Pick<Engine, "prefixOf">, target: Ip | Prefix): Prefix {
  return isPrefix(target) ? target : engine.prefixOf(target);
}

/** A simulated ban keeps no one out. */
function isReal(ban: Ban | null): boolean {
  return ban !== null && ban.simulated !== true;
}

/** The bans still in force around and within a network whose own ban is lifted. */
function stillBanned(bansInForce: BanCommandParts["bansInForce"], prefix: Prefix): Omit<Unbanned, "prefix"> {
  const around = covering(prefix).find((network) => network !== prefix && isReal(bansInForce.ban(network)));
  const within = bansInForce.bansWithin(prefix).filter((ban) => isReal(ban) && ban.prefix !== prefix).length;
  return { ...(around !== undefined && { around }), ...(within > 0 && { within }) };
}

/** Milliseconds; null: permanently. */
function durationMsOf(text: string | null, otherwiseMs: number | null): number | null {
  if (text === null) return otherwiseMs;
  return text === "permanent" ? null : durationOf(text);
}

async function askEngine(
  engine: BanCommandParts["engine"],
  event: NetworkEvent,
): Promise<Readonly<{ ok: true; changes: Decision["changes"] }> | CommandError> {
  const { verdict, reason, changes } = await engine.ask(event);
  // While the database cannot be written, the answer is `UNRECORDED_PASS`, and nothing is done.
  if (verdict === "pass" && reason !== "not_recorded") return { ok: true, changes };
  const { says, next } = reasons[reason];
  const whole = reason === "not_recorded" ? says : `${event.prefix}: ${says}`;
  return failed(event.type === "BAN_ASKED" ? `Not banned. ${whole}` : whole, next);
}
