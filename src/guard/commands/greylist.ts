import { pageByKey } from "../../admin/declare/paging.ts";
import { isMailboxUser, isWebAdmin } from "../../admin/declare/rights.ts";
import type { GreylistPauseItem } from "../../admin/filters.ts";
import { type Address, domainOf, parseAddress, withoutExtension } from "../../core/net/address.ts";
import { printable } from "../../core/text.ts";
import { DAY_MS, durationOf, formatDuration, isoTime, later, MINUTE_MS, SECOND_MS } from "../../core/time.ts";
import type { Engine } from "../engine.ts";
import type { Clock, RecipientDirectory } from "../ports.ts";
import type { GreylistPause, GreylistPauses } from "../storage-ports.ts";
import { recordDone } from "./record-first.ts";
import { failed, usage } from "./refusals.ts";
import type { RunsOf } from "./run-of.ts";

export type GreylistCommandParts = Readonly<{
  engine: Pick<Engine, "policy" | "audit">;
  pauses: Pick<GreylistPauses, "pause" | "resume" | "pauses">;
  recipients: RecipientDirectory;
  clock: Clock;
}>;

const USUAL_MS = 15 * MINUTE_MS;
const LONGEST_MS = 30 * DAY_MS;
/** Maximum pauses by the dashboard. Pauses by mailbox users are bounded by the number of users, and do not count. */
const MOST_OF_WEB = 200;

export const GREYLIST_RUNS = {
  greylist_pause: async (parts, command, by) => {
    const { engine, pauses, recipients, clock } = parts;
    const target = ofAccount(command.recipient, recipients);
    const lastsMs = command.for === null ? USUAL_MS : durationOf(command.for);
    if (lastsMs < SECOND_MS || lastsMs > LONGEST_MS)
      return usage(`“${printable(command.for ?? "", 40)}” is not the length of a pause.`, "Write it as 15m, 2h or 1d.");
    if (!engine.policy.domains.includes(domainOf(target)) || !recipients.exists(target))
      return failed(`${target} receives no mail here.`, "`account list` and `alias list` show who does.");
    const active = pauses.pauses(clock.now());
    const ofWeb = active.filter((one) => isWebAdmin(one.by));
    const isFull = ofWeb.length >= MOST_OF_WEB && !ofWeb.some((one) => one.target === target);
    if (isWebAdmin(by) && isFull)
      return failed(
        `Greylisting is paused for ${MOST_OF_WEB} recipients already.`,
        "Use `greylist pause` on the server.",
      );
    const earlier = active.find((one) => one.target === target);
    const until = later(clock.now(), lastsMs);
    if (earlier !== undefined && earlier.until > until) return { ok: true, result: item(earlier) };
    // A user may extend the administrator's pause, but not end it.
    const isOwners = earlier !== undefined && isMailboxUser(by) && !isMailboxUser(earlier.by);
    const pause = { target, until, by: isOwners ? earlier.by : by };
    pauses.pause(pause);
    const subject = `${target} for ${formatDuration(lastsMs)}`;
    return recordDone(engine, { type: "GREYLIST_PAUSED", subject, recipient: target, by }, item(pause));
  },
  greylist_resume: async (parts, command, by) => {
    const { engine, pauses, recipients, clock } = parts;
    const names = [command.recipient, ofAccount(command.recipient, recipients)];
    const active = pauses.pauses(clock.now()).find((one) => names.some((name) => name === one.target));
    const target = names.find((name) => name === active?.target) ?? command.recipient;
    if (active !== undefined && isMailboxUser(by) && !isMailboxUser(active.by))
      return failed("The administrator made this pause.", "Ask the administrator to end it.");
    if (!pauses.resume(target, clock.now()))
      return failed(`Greylisting is not paused for ${target}.`, "`greylist list` shows the pauses.");
    return recordDone(engine, { type: "GREYLIST_RESUMED", subject: target, by }, { target });
  },
  greylist_list: ({ pauses, clock }, asked) => {
    const { items, ...page } = pageByKey(pauses.pauses(clock.now()), asked, ({ target }) => target);
    return { ok: true, result: { items: items.map(item), ...page } };
  },
} satisfies RunsOf<GreylistCommandParts>;

/** A pause covers every extension of an address, so extensions are not counted separately. */
function ofAccount(written: Address, recipients: RecipientDirectory): Address {
  const plain = parseAddress(withoutExtension(written));
  return plain !== null && recipients.exists(plain) ? plain : written;
}

function item({ target, until, by }: GreylistPause): GreylistPauseItem {
  return { target, until: isoTime(until), by };
}
