import type { HeldAccountItem, HeldMailItem, SentMailItem } from "../../../../admin/held.ts";
import { parseAccountName } from "../../../../core/net/address.ts";
import { plural } from "../../../../core/text.ts";
import { dayAndTime, formatDuration } from "../../../../core/time.ts";
import { waitingMails } from "../../../../guard/explain/waiting-mails.ts";
import { serviceExists } from "../../../../host/running/supervised.ts";
import { fetchRules } from "../../../../jobs/spam-rules/spam-rules.ts";
import { type Answer, type Call, done, failed, PROGRAM, whileRunning, whyNotSure, withReader } from "../../call.ts";
import { listOf } from "../../parse.ts";
import { columns, firstFew } from "../../print/text.ts";
import { accountFrom, noAccount, ofAccount } from "../accounts/accounts.ts";

export async function accountHeld(call: Call): Promise<Answer> {
  const name = call.args[0] === undefined ? null : accountFrom(call.args[0]);
  if (name !== null && typeof name !== "string") return name;
  const asked = await call.guard.ask({ verb: "held_list", name });
  if (!asked.ok) return asked;
  const { accounts, held, heldTotal, sent, sentTotal } = asked.result;
  const holds = accounts.map(
    (one) =>
      `${one.account} has been held since ${dayAndTime(one.at)}: ${holdReason(one)}, limit ${one.limit}. The mail came from ${one.ip}.`,
  );
  const isNone = accounts.length === 0 && heldTotal === 0;
  if (name !== null && isNone && sentTotal === 0) {
    const opened = await call.reader();
    if (opened.ok && opened.reader.account(name) === null) return noAccount(name);
  }
  const text = [
    ...holds,
    isNone ? `No mail${name === null ? "" : ` of ${name}`} is held.` : heldTable(held, heldTotal),
    ...(name === null ? [] : [sentTable(sent, sentTotal)]),
  ].join("\n\n");
  const first = name ?? accounts[0]?.account ?? held[0]?.account;
  return isNone || first === undefined
    ? done(asked.result, text)
    : done(asked.result, text, `${PROGRAM} account release ${first}, or ${PROGRAM} account drop ${first}`);
}

export const accountDrop = ofAccount(async (call, name) => {
  const found = await call.guard.ask({ verb: "held_list", name });
  if (!found.ok) return found;
  const ids = [...new Set(listOf(call.args[1]))];
  const { held, heldTotal } = found.result;
  if (ids.length === 0 && heldTotal === 0)
    return failed(`No mail of ${name} is held.`, `\`${PROGRAM} account held\` shows what is.`);
  const isReturned = call.flag("bounce");
  const how = isReturned ? "returned as undeliverable" : "deleted";
  const mails = `${plural(ids.length || heldTotal, "held mail")} of ${name}`;
  const question = isReturned ? `Return ${mails} to the senders as undeliverable?` : `Permanently delete ${mails}?`;
  const unsure = await whyNotSure(call, question, `no mail of ${name} was ${how}`);
  if (unsure !== null) return unsure;
  // Excludes mail that arrives while the question waits. The list has only the newest 100 mails.
  const shown = held.length < heldTotal ? { until: held[0]?.at } : { ids: held.map(({ queueId }) => queueId) };
  const chosen = ids.length > 0 ? { ids } : shown;
  const asked = await call.guard.ask({ verb: "held_drop", name, isReturned, ...chosen });
  if (!asked.ok) return asked;
  const deleted = `${plural(asked.result.dropped, "held mail")} of ${name} ${how}.`;
  if (asked.result.isMore)
    return done(
      asked.result,
      `${deleted} More is on hold: give the command again.`,
      `${PROGRAM} account drop ${[name, ...ids, ...(isReturned ? ["--bounce"] : [])].join(" ")}`,
    );
  if (asked.result.dropped < ids.length)
    return failed(
      `${deleted} The guard holds no other of these.`,
      `\`${PROGRAM} account held ${name}\` shows what it holds.`,
    );
  if (ids.length > 0 || !asked.result.isHeld) return done(asked.result, deleted, `${PROGRAM} account held ${name}`);
  const text = `${deleted} Its further mail is held until you release the account.`;
  return done(asked.result, text, `${PROGRAM} account passwd ${name}, then ${PROGRAM} account release ${name}`);
});

export function holdReason({ count, windowMs, key }: HeldAccountItem): string {
  const within = `within ${formatDuration(windowMs)}`;
  return key === "limits.sending.refused"
    ? `mail to ${count} people to whom it had never written was refused ${within}`
    : `it wrote to ${count} people ${within} to whom it had never written`;
}

function heldTable(held: readonly HeldMailItem[], total: number): string {
  if (held.length === 0) return "No mail is on hold in the queue.";
  const rows = held.map((mail) => [
    mail.queueId,
    mail.account,
    dayAndTime(mail.at),
    mail.ip ?? "-",
    `${mail.recipientCount}`,
    mail.recipients.length === 0 ? "-" : firstFew(mail.recipients, mail.recipientCount),
  ]);
  return `On hold:\n${tableOf(["QUEUE ID", "ACCOUNT", "SINCE", "FROM", "RECIPIENTS", "INCLUDING"], rows, total)}`;
}

function sentTable(sent: readonly SentMailItem[], total: number): string {
  if (sent.length === 0) return "No other mail was sent in the last 24 hours.";
  const rows = sent.map(({ queueId, at, ip, recipientCount, recipient }) => [
    queueId ?? "-",
    dayAndTime(at),
    ip,
    `${recipientCount}`,
    recipient ?? "-",
  ]);
  return `Sent in the last 24 hours:\n${tableOf(["QUEUE ID", "AT", "FROM", "RECIPIENTS", "INCLUDING"], rows, total)}`;
}

function tableOf(head: readonly string[], rows: readonly (readonly string[])[], total: number): string {
  return columns([head, ...rows]) + (rows.length < total ? `\nand ${total - rows.length} more` : "");
}

/** Mail that greylisting deferred within the last six hours and that was not accepted since. */
export const greylistWaiting = withReader(async (call, reader) => {
  const waiting = waitingMails(reader.queries, call.now());
  if (waiting.items.length === 0) return done(waiting, "No deferred mail waits for a retry.");
  const rows = waiting.items.map(({ recipient, sender, ip, since, tries }) => [
    recipient,
    sender === "" ? "<>" : sender,
    ip ?? "-",
    dayAndTime(since),
    String(tries),
  ]);
  const text = tableOf(["TO", "FROM", "CLIENT", "SINCE", "TRIES"], rows, waiting.total);
  // Strangers choose the recipient, and a shell would run parts of some.
  const first = parseAccountName(waiting.items[0]?.recipient ?? "") ?? "ADDRESS";
  return done(waiting, text, `${PROGRAM} greylist pause ${first}  # the next try comes in at once`);
});

export const spamUpdate = whileRunning(async (call) => {
  if (!serviceExists(call.layout.services, "spamd"))
    return failed(
      "The spam filter has been off since the server started (spam.enabled), so it uses no rules.",
      `Run \`${PROGRAM} config set spam.enabled true\`, then \`${PROGRAM} restart\`.`,
    );
  call.terminal.progress("Fetching rules ...");
  const fetched = await fetchRules(call.layout, call.now());
  if (!fetched.ok) return failed(`No new rules were installed: ${fetched.reason}.`, "The current rules stay in use.");
  const { version, isNew } = fetched;
  const says = isNew
    ? `Version ${version} of the rules is in use.`
    : `The newest version of the rules, ${version}, is already in use.`;
  return done({ version, isNew }, says);
});
