import * as z from "zod/mini";
import { BAN_LEVELS } from "../core/decide/decision.ts";
import type { Protection } from "../core/events/reasons.ts";
import { printPrefix } from "../core/net/ip.ts";
import { plural } from "../core/text.ts";
import { dayAndTime } from "../core/time.ts";
import { component, type OutputOf, object } from "./declare/fields.ts";
import { count, duration, list, meaning, network, note, page, pageOf, time } from "./declare/kinds.ts";
import { ALLOW, BAN, changes, READ, reads, verb } from "./declare/verb.ts";

/** Bans by hand, and the allow list. */

/** Prefix lengths of the widest networks that the web may ban or allow. */
export const WIDEST_OF_WEB = { v4: 24, v6: 48 } as const;
const ofTarget = { target: network };
const NAMED = { named: { target: "network" } };
export const banTime = duration("How long: 30m, 2h, 7d, or permanent. The setting bans.manual if absent.", "permanent");
const allowTime = duration("How long: 30m, 2h, 7d, or permanent. Permanent if absent.", "permanent");

/** A ban made through the dashboard, as the API returns it. */
export const BAN_EXAMPLE = {
  ip: "203.0.113.7",
  prefix: "203.0.113.7/32",
  level: "manual",
  code: "manual",
  reason: "it scanned us",
  source: "web:admin via 192.0.2.10",
  createdAt: "2026-11-21T07:00:00.000Z",
  expiresAt: "2026-11-21T09:00:00.000Z",
  offences: 0,
};
export const ban = component({ id: "Ban", examples: [BAN_EXAMPLE] }, () => ({
  ip: z.string(),
  prefix: z.string(),
  level: z.enum(BAN_LEVELS),
  code: z.string(),
  reason: z.string(),
  source: z.string(),
  createdAt: time,
  expiresAt: meaning(z.nullable(time), "Null: permanent."),
  offences: count,
}));
export type BanItem = OutputOf<typeof ban>;

const entry = {
  prefix: z.string(),
  note: z.string(),
  by: z.string(),
  at: time,
  expiresAt: meaning(z.nullable(time), "Null: until it is removed."),
};
export const allowed = component({ id: "AllowEntry" }, () => entry);
export type AllowItem = OutputOf<typeof allowed>;

const unbanned = object(() => ({
  prefix: z.string(),
  around: meaning(z.exactOptional(z.string()), "The wider network whose ban still includes it."),
  within: meaning(z.exactOptional(count), "Bans within it that are still in force."),
}));
export type Unbanned = OutputOf<typeof unbanned>;
const banned = object(() => ({ ban: ban() }));
const lifted = object(() => ({ prefix: z.string() }));
const allowing = object(() => ({
  prefix: z.string(),
  lifted: meaning(list(z.string()), "Bans that ended with it, 50 at most."),
  liftedTotal: count,
  keptEnd: meaning(z.exactOptional(z.nullable(time)), "The end of the previous entry, if later than requested."),
  keptNote: meaning(z.exactOptional(z.string()), "The previous note, if none was given."),
}));
const cleaned = object(() => ({ expired: count }));
const entries = pageOf(object(() => ({ ...entry, from: z.enum(["settings", "command"]) })));

/** `reason` null: nothing forbids it. */
type Protected = Readonly<{ prefix: string; reason: Protection | null }>;

/** The last word of `changes` is the limit on the web (`Bound` in declare/verb.ts). */
export const BAN_VERBS = [
  // Its command asks before it bans a very large network, so it is written by hand: src/surfaces/cli/verbs/server/bans.ts.
  verb("ban", BAN, { ...ofTarget, note, for: banTime }, changes(banned, "bans")).http(
    "POST /bans",
    "Bans an address or a network.",
    { named: { target: "ip", note: "reason" }, status: 201 },
  ),
  verb("unban", BAN, ofTarget, changes(unbanned, "bans"))
    .http("DELETE /bans/{network}", "Lifts a ban; the offence is forgiven.", NAMED)
    .cli("unban IP", "Lift a ban.", {
      words: ["target"],
      done: ({ prefix, around, within = 0 }) =>
        around !== undefined
          ? `The ban of ${printPrefix(prefix)} is lifted, but its network ${around} is still banned.`
          : `${printPrefix(prefix)} is no longer banned${within === 0 ? "." : `, but ${plural(within, "ban within it is", "bans within it are")} still in force.`}`,
      next: ({ prefix, around, within }) => {
        if (around !== undefined) return `unban ${around}`;
        return within === undefined ? `allow add ${printPrefix(prefix)}   # never ban it again` : "bans";
      },
    }),
  verb("allow_add", ALLOW, { ...ofTarget, note, for: allowTime }, changes(allowing, "allowed"))
    .http("POST /allow", "Puts an address or a network on the allow list and lifts the bans within it.", {
      ...NAMED,
      status: 201,
    })
    .cli("allow add IP [NOTE...]", "Never ban this address or network.", {
      words: ["target", "note"],
      options: { for: { name: "for", value: "TIME", says: "How long: 2h, 30d; otherwise until it is removed." } },
      done: ({ prefix, lifted, liftedTotal, keptEnd, keptNote }, asked) => {
        const others = liftedTotal > lifted.length ? ` and ${liftedTotal - lifted.length} more` : "";
        const also = ` ${plural(liftedTotal, "ban")} lifted: ${lifted.join(", ")}${others}.`;
        const isForever = asked.for === null || asked.for === "permanent";
        const asAsked = isForever ? "is never banned from now on" : `will not be banned for the next ${asked.for}`;
        const how = keptEnd === undefined ? asAsked : keptFor(keptEnd);
        const note = keptNote === undefined ? "" : ` Its note stays: ${keptNote}.`;
        return `${printPrefix(prefix)} ${how}.${note}${liftedTotal === 0 ? "" : also}`;
      },
      next: ({ prefix, keptEnd }) =>
        keptEnd === undefined
          ? "allow list"
          : `allow remove ${printPrefix(prefix)}   # then add it again, to shorten it`,
    }),
  verb("allow_remove", ALLOW, ofTarget, changes(lifted, "bans"))
    .http("DELETE /allow/{network}", "Removes a network from the allow list.", NAMED)
    .cli("allow remove IP", "Remove an address or network from the allow list.", {
      words: ["target"],
      done: ({ prefix }) => `${printPrefix(prefix)} is off the allow list.`,
      next: "allow list",
    }),
  /** What forbids a ban of this address or network now. */
  verb("protection", READ, ofTarget, reads<Protected>("reason")),
  verb("allow_list", READ, page(), reads(entries))
    .http("GET /allow", "The allow list, a page at a time: the settings' entries first, then those of commands.")
    .cli("allow list", "Show the allow list.", {
      table: {
        things: "entries",
        head: ["ADDRESS", "NOTE", "BY", "UNTIL"],
        row: (one) => [
          printPrefix(one.prefix),
          one.note,
          one.from === "settings" ? "settings" : one.by,
          one.expiresAt === null ? "" : dayAndTime(one.expiresAt),
        ],
        none: "The allow list is empty.",
        first: "allow add IP NOTE",
      },
    }),
  verb("cleanup", BAN, {}, changes(cleaned, "bans", "It removes only what has already expired.")).cli(
    "cleanup",
    "Remove expired bans; the server also does it regularly.",
    {
      done: ({ expired }) =>
        expired === 0 ? "No ban has expired." : `${plural(expired, "expired ban was", "expired bans were")} removed.`,
    },
  ),
] as const;

/** Describes an entry whose previous end is later than the requested one. */
function keptFor(end: string | null): string {
  return end === null ? "stays allowed without an end" : `stays allowed until ${dayAndTime(end)}, as before`;
}
