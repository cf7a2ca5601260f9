import { join } from "node:path";
import { BEFORE_ALL_MAIL, PAGE } from "../../../../admin/declare/paging.ts";
import { NO_MAIL } from "../../../../admin/queue.ts";
import { messageOf } from "../../../../core/error.ts";
import { isGuardsHold } from "../../../../core/events/queued-mail.ts";
import type { AccountName } from "../../../../core/net/address.ts";
import { plural } from "../../../../core/text.ts";
import { copyMails, folderOf } from "../../../../jobs/incident/folder.ts";
import { type Call, done, type Failure, failed, PROGRAM, whyNotSure } from "../../call.ts";
import { eachPage } from "../../listing.ts";
import { accountFrom } from "../accounts/accounts.ts";
import { inIncident, recordStep } from "./incident.ts";

/** Maximum queue ids in one command. */
const AT_ONCE = 100;
/** Tries per mail, because a copy may miss a mail that is just moving through the queue. */
const MOST_TRIES = 3;
/** Each check sees 100 of the mails that the guard holds. Mail that arrives in between is taken too, up to this bound. */
const MOST_ROUNDS = 500;

export const incidentDrop = inIncident(async (call, incident) => {
  const name = accountFrom(call.args[0]);
  if (typeof name !== "string") return name;
  const found = await queuedMail(call, name);
  if ("ok" in found) return found;
  if (found.mails.size === 0)
    return failed(`No mail of ${name} is in the queue.`, `\`${PROGRAM} queue list\` shows what is.`);
  const question = `Take ${plural(found.mails.size, "mail")} of ${name} out of the queue? Copies stay in the folder of the incident.`;
  const unsure = await whyNotSure(call, question, "nothing was done");
  if (unsure !== null) return unsure;
  // Recorded first, because this command may be killed before it ends.
  await recordStep(call, incident, {
    step: "drop",
    says: `Taking ${plural(found.mails.size, "mail")} of ${name} out of the queue.`,
  });
  const to = join(folderOf(call.layout, incident), "mails");
  const { dropped, kept, stays, others, failure } = await dropAll(call, name, to);
  const says = `${plural(dropped, "mail")} of ${name} taken out of the queue; ${kept.length} kept in the folder of the incident.`;
  const did = [
    says,
    failure !== null && `Then it failed: ${failure.message}`,
    stays > 0 && `Still in the queue: ${plural(stays, "mail")}.`,
    others > 0 && `Not removed: ${plural(others, "mail")} sent from its address but held for another account.`,
  ].filter((line) => line !== false);
  const unaudited = await recordStep(call, incident, { step: "drop", says: did.join(" "), lines: kept });
  const lines = [...did, unaudited].filter((line) => line !== "");
  const json = { account: name, dropped, kept, stays, others };
  if (failure === null && stays === 0) return done(json, lines.join(" "), `${PROGRAM} incident investigate`);
  const next = failure?.next ?? "Give the command again.";
  return failed(`Not all mail of ${name} was taken out of the queue.`, next, { lines, json });
});

/**
 * Removes only mail that was copied. `kept`: the queue ids of the copies. `stays`: how many of the account's mails are still in the
 * queue. `others`: how many of them the guard holds for another account.
 */
async function dropAll(call: Call, name: AccountName, to: string) {
  const kept = new Set<string>();
  const tries = new Map<string, number>();
  // A returned mail stays in the queue until Postfix has notified its sender.
  const mostTries = call.flag("bounce") ? 1 : MOST_TRIES;
  let dropped = 0;
  const result = (stays: number, others: number, failure: Failure | null) => {
    return { dropped, kept: [...kept], stays, others, failure };
  };
  for (let rounds = 0; ; rounds += 1) {
    const found = await queuedMail(call, name);
    if ("ok" in found) return result(0, 0, found);
    const { mails, others } = found;
    const due = [...mails.keys()].filter((id) => (tries.get(id) ?? 0) < (kept.has(id) ? mostTries : MOST_TRIES));
    if (due.length === 0 || rounds === MOST_ROUNDS) {
      const stays = [...mails.keys()].filter((id) => !call.flag("bounce") || !kept.has(id));
      return result(stays.length, others, null);
    }
    for (let from = 0; from < due.length; from += AT_ONCE) {
      const batch = due.slice(from, from + AT_ONCE);
      for (const id of batch) tries.set(id, (tries.get(id) ?? 0) + 1);
      let copied: readonly string[];
      try {
        copied = copyMails(call.layout, batch, to);
      } catch (error) {
        return result(0, others, failed(`${messageOf(error)}.`, "Fix that, then give the command again."));
      }
      for (const id of copied) kept.add(id);
      const removed = await dropBatch(call, name, {
        held: copied.filter((id) => mails.get(id) === true),
        notHeld: copied.filter((id) => mails.get(id) === false),
      });
      dropped += removed.dropped;
      if (removed.failure !== null) return result(0, others, removed.failure);
      call.terminal.progress(`${plural(dropped, "mail")} taken out of the queue ...`);
    }
  }
}

/** Mail that the guard holds has its own command; the rest, including mail that root holds, goes through the queue's. */
async function dropBatch(
  call: Call,
  name: AccountName,
  { held, notHeld }: Readonly<{ held: readonly string[]; notHeld: readonly string[] }>,
): Promise<Readonly<{ dropped: number; failure: Failure | null }>> {
  const isReturned = call.flag("bounce");
  let dropped = 0;
  if (held.length > 0) {
    const asked = await call.guard.ask({ verb: "held_drop", name, isReturned, ids: [...held] });
    if (!asked.ok) return { dropped, failure: asked };
    dropped += asked.result.dropped;
  }
  if (notHeld.length > 0) {
    const chosen = { ...NO_MAIL, ids: [...notHeld], isAll: false };
    const verb = isReturned ? "queue_return" : "queue_delete";
    const asked = await call.guard.ask({ verb, ...chosen, cursor: BEFORE_ALL_MAIL });
    if (!asked.ok) return { dropped, failure: asked };
    dropped += asked.result.changed;
  }
  return { dropped, failure: null };
}

/** All queued mail of the account: from its addresses, recorded as sent by it, or noted as held by the guard. */
async function queuedMail({ guard }: Call, name: AccountName) {
  /** By queue id, whether the guard holds it. */
  const mails = new Map<string, boolean>();
  const others = new Set<string>();
  const chosen = { ...NO_MAIL, account: name, limit: PAGE.most };
  const failure = await eachPage(
    null,
    (cursor) => guard.ask({ verb: "queue_list", ...chosen, cursor }),
    ({ items }) => {
      for (const mail of items) {
        const isGuards = isGuardsHold(mail);
        if (isGuards && mail.heldFor !== name) others.add(mail.queueId);
        else mails.set(mail.queueId, isGuards);
      }
    },
  );
  if (failure !== null) return failure;
  const noted = await guard.ask({ verb: "held_list", name });
  if (!noted.ok) return noted;
  for (const { queueId } of noted.result.held) if (!others.has(queueId)) mails.set(queueId, true);
  return { mails, others: others.size };
}
