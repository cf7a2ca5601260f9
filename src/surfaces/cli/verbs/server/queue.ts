import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { QueueChange, QueueItem } from "../../../../admin/queue.ts";
import { codeOf } from "../../../../core/error.ts";
import { isGuardsHold } from "../../../../core/events/queued-mail.ts";
import { plural } from "../../../../core/text.ts";
import { span } from "../../../../core/time.ts";
import { SYSTEM_PATH } from "../../../../host/machine/run-program.ts";
import { startCommand } from "../../../../host/running/server-commands.ts";
import { type Answer, type Call, done, type Failure, failed, PROGRAM, whyNotSure, wrongUsage } from "../../call.ts";
import { andMore, eachPage, emptyText, gather, pageFrom } from "../../listing.ts";
import { listOf } from "../../parse.ts";
import { joined, printable, wrapped } from "../../print/text.ts";

type ChangeVerb = `queue_${"hold" | "release" | "delete" | "return" | "flush"}`;

export async function queueList(call: Call): Promise<Answer> {
  const page = pageFrom(call, "mails");
  if ("ok" in page) return page;
  const asked = await gather(page, (some) => call.guard.ask({ verb: "queue_list", ...chosenBy(call), ...some }));
  if (!asked.ok) return asked;
  const { items: mails, total, next } = asked.result;
  const json = { mails, total, next };
  if (mails.length === 0) return done(json, emptyText("No such mail is in the queue.", page));
  const list = mails.map((mail) => mailText(mail, call.now())).join("\n\n");
  const more = andMore({ next, total, shown: mails.length }, page.cursor);
  const head = `${plural(total, "mail")} in the queue, oldest first:`;
  return done(json, `${head}\n\n${list}${more}`, hintFor(mails));
}

export const queueHold = (call: Call) => change(call, "queue_hold");
export const queueRelease = (call: Call) => change(call, "queue_release");
export const queueFlush = (call: Call) => change(call, "queue_flush");

export async function queueDelete(call: Call): Promise<Answer> {
  const verb = call.flag("bounce") ? "queue_return" : "queue_delete";
  const chosen = chosenBy(call);
  if (!call.flag("all") && isEmpty(chosen)) return nothingChosen("queue_delete");
  const asked = await call.guard.ask({ verb: "queue_list", ...chosen, limit: 1, cursor: null });
  if (!asked.ok) return asked;
  const { total, newestAt } = asked.result;
  if (total === 0) return failed("No such mail is in the queue.", `\`${PROGRAM} queue list\` shows what is.`);
  const question = call.flag("bounce")
    ? `Return ${plural(total, "mail")} to the senders as undeliverable?`
    : `Permanently delete ${plural(total, "mail")} from the queue?`;
  // By the queue's own time: the clock may have been set back since a mail arrived.
  return (await whyNotSure(call, question, "nothing was deleted")) ?? change(call, verb, newestAt);
}

const DONE: Readonly<Record<ChangeVerb, (mails: string) => string>> = {
  queue_hold: (mails) => `${mails} put on hold.`,
  queue_release: (mails) => `${mails} released; Postfix is delivering.`,
  queue_delete: (mails) => `${mails} deleted.`,
  queue_return: (mails) => `${mails} returned as undeliverable.`,
  queue_flush: (mails) => `Postfix tries ${mails} again now.`,
};
const NEXT: Readonly<Partial<Record<ChangeVerb, string>>> = {
  queue_hold: "queue list  # `queue release` releases it",
  queue_flush: "logs --component mail --follow",
};

/** Changes the chosen mail. `until`: leaves mail that arrived later. */
async function change(call: Call, verb: ChangeVerb, until?: string): Promise<Answer> {
  const chosen = chosenBy(call);
  // A flush needs no choice, because retrying all mail does no harm.
  const isAll = call.flag("all") || (verb === "queue_flush" && isEmpty(chosen));
  if (!isAll && isEmpty(chosen)) return nothingChosen(verb);
  const kept = new Map<string, number>();
  let changed = 0;
  const says = (): string => DONE[verb](plural(changed, "mail"));
  const failure = await eachPage(
    null,
    (cursor) => call.guard.ask<ChangeVerb>({ verb, ...chosen, until, isAll, cursor }),
    (page) => {
      for (const { account, mails } of page.kept) kept.set(account, (kept.get(account) ?? 0) + mails);
      changed += page.changed;
      if (page.next !== null) call.terminal.progress(says());
    },
  );
  if (failure !== null) return changed === 0 ? failure : { ...failure, message: `${failure.message} ${says()}` };
  const [held] = kept.keys();
  if (changed === 0 && held !== undefined)
    return failed(
      `The guard holds this mail of ${printable(held)}: nothing was done.`,
      `\`${PROGRAM} account held ${printable(held)}\` shows it; \`account release\` sends it, \`account drop\` deletes it.`,
    );
  const all: QueueChange = { changed, kept: [...kept].map(([account, mails]) => ({ account, mails })), next: null };
  const heldLines = all.kept.map(({ account, mails }) =>
    printable(
      `Held by the guard, so not changed: ${plural(mails, "mail")} of ${account} (\`${PROGRAM} account held ${account}\`).`,
    ),
  );
  return done(all, [says(), ...heldLines].join("\n"), `${PROGRAM} ${NEXT[verb] ?? "queue list"}`);
}

function chosenBy(call: Call) {
  const sender = call.option("sender");
  return {
    ids: [...listOf(call.args[0])],
    account: call.option("account"),
    sender: sender === "<>" ? "" : sender,
    recipient: call.option("recipient"),
  };
}

function isEmpty({ ids, account, sender, recipient }: ReturnType<typeof chosenBy>): boolean {
  return ids.length === 0 && account === null && sender === null && recipient === null;
}

function nothingChosen(verb: ChangeVerb): Failure {
  return wrongUsage(
    `${verb.replace("_", " ").replace("return", "delete")} needs queue ids, --account, --sender, --recipient, or --all.`,
    `\`${PROGRAM} queue list\` shows the queue ids.`,
  );
}

function mailText(mail: QueueItem, nowMs: number): string {
  const { queueId, at, sizeBytes, sender, recipients, recipientCount } = mail;
  const age = span(nowMs - Date.parse(at));
  const size = `${Math.max(1, Math.round(sizeBytes / 1024)).toLocaleString("en")} KB`;
  const rest = recipientCount - recipients.length;
  return joined("\n", [
    wrapped(`${queueId}  ${stateOf(mail, nowMs)}`, ""),
    wrapped(`${size}, ${age} old, from ${sender === "" ? "<> (a bounce or an automatic reply)" : sender}`, "  "),
    ...recipients.flatMap(({ address, reason }) => [
      wrapped(`to ${address}`, "  "),
      reason !== null && wrapped(reason, "    "),
    ]),
    rest > 0 && `  and ${rest} more`,
  ]);
}

function stateOf(mail: QueueItem, nowMs: number): string {
  const { queue, heldFor, nextTryAt } = mail;
  switch (queue) {
    case "deferred": {
      const waitMs = nextTryAt === null ? 0 : Date.parse(nextTryAt) - nowMs;
      return waitMs > 0 ? `deferred, next try in ${span(waitMs)}` : "deferred, next try soon";
    }
    case "hold":
      if (heldFor === null) return "on hold";
      return isGuardsHold(mail) ? `on hold by the guard, as mail of ${heldFor}` : "on hold by hand";
    case "active":
      return "being delivered";
    default:
      return "arriving";
  }
}

function hintFor(mails: readonly QueueItem[]): string {
  const guarded = mails.find(isGuardsHold);
  if (guarded !== undefined) return `${PROGRAM} account held ${guarded.heldFor}`;
  return mails.some(({ queue }) => queue === "deferred")
    ? `${PROGRAM} queue flush  # tries again now; docs/mail-that-waits.md says what to look at`
    : `${PROGRAM} why --message ${mails[0]?.queueId ?? "ID"}`;
}

/** sysexits.h: programs that send mail expect these. */
const [EX_UNAVAILABLE, EX_TEMPFAIL, EX_NOPERM, EX_CONFIG] = [69, 75, 77, 78] as const;
const SENDMAIL = "/usr/sbin/sendmail";

/** Runs Postfix's own sendmail(1) on our queue, with the same words, and returns its exit code. */
export async function sendmail({ layout, args, env, terminal }: Call): Promise<Answer> {
  const fail = (code: number, says: string): Answer => {
    terminal.err(`${PROGRAM} sendmail: ${says}`);
    return exitedWith(code);
  };
  // Postfix's postdrop(1) accepts another configuration directory only from root.
  if (process.getuid?.() !== 0)
    return fail(EX_NOPERM, "only root may use it (docs/local-mail.md says how others send).");
  if (!existsSync(join(layout.postfixConf, "main.cf")))
    return fail(EX_CONFIG, `there is no mail server in ${layout.data} yet. Start it: ${startCommand(layout)}`);
  const child = spawn(SENDMAIL, ["-C", layout.postfixConf, ...args], {
    stdio: "inherit",
    env: { ...env, PATH: SYSTEM_PATH },
  });
  try {
    await once(child, "close");
    return exitedWith(child.exitCode ?? EX_TEMPFAIL);
  } catch (error) {
    return fail(EX_UNAVAILABLE, `${SENDMAIL} of Postfix cannot be run (${codeOf(error)}).`);
  }
}

function exitedWith(code: number): Answer {
  return { ok: true, json: undefined, text: "", code };
}
