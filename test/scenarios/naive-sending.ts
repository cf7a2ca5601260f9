import { NO_RECIPIENTS, NO_SENDING, type RecipientCounts, type SendingFacts } from "../../src/core/decide/facts.ts";
import type { Policy } from "../../src/core/decide/policy.ts";
import type { Event } from "../../src/core/events/event.ts";
import type { DataCommand, EndOfMessage, Recipient } from "../../src/core/events/mail.ts";
import type { Prefix } from "../../src/core/net/ip.ts";
import { instant, type Millis } from "../../src/core/time.ts";
import { type Changed, changesOf, type Kept } from "./naive-recount.ts";
import type { Refusal } from "./scenario.ts";

/** The oracle's recount of an account's mail. */

type Sending = (Recipient | DataCommand | EndOfMessage) & Readonly<{ account: string }>;
/** `from`: the index of the first event since the engine started, which forgot earlier recipients. */
type Given = Readonly<{ from: number; policy: Policy; refused: readonly Refused[] }>;
/** A refusal that counts against an account. */
export type Refused = Readonly<{ at: Millis; account: string; mail: Kept; domain: string }>;

export function sendingFactsOf(kept: readonly Kept[], given: Given, event: Event, place: Prefix): SendingFacts {
  return "account" in event && event.account !== null
    ? factsOf(kept, given, { ...event, account: event.account }, place)
    : NO_SENDING;
}

/** The refusal, if its mail was sent since the engine started: at most one for each stranger among the recipients. */
export function refusedOf(
  sinceStart: readonly Kept[],
  refused: readonly Refused[],
  { at, queueId, recipient }: Refusal,
  windowMs: number,
): readonly Refused[] {
  const mail = sinceStart.findLast(
    ({ event, decision }) =>
      event.type === "END_OF_MESSAGE" && event.queueId === queueId && decision.reason === "below_limit",
  );
  if (mail === undefined || !("account" in mail.event) || mail.event.account === null) return [];
  const { account } = mail.event;
  const before = refused.filter((one) => one.mail === mail).length;
  const domain = recipient.split("@")[1]?.split(".").slice(-2).join(".") ?? "";
  const alike = refused.filter(
    (one) =>
      one.account === account && one.domain === domain && one.at > at - windowMs && sinceStart.includes(one.mail),
  );
  return before < (mail.sending?.mail.strangers ?? 0) && alike.length < 2 ? [{ at, account, mail, domain }] : [];
}

function factsOf(kept: readonly Kept[], { from, policy, refused }: Given, event: Sending, place: Prefix): SendingFacts {
  const [sinceStart, changes] = [kept.slice(from), changesOf(kept)];
  const { account } = event;
  const named = namedIn(sinceStart, event);
  const ofHold = changes.filter(
    ({ change }) => (change.type === "HOLD_ACCOUNT" || change.type === "END_HOLD") && change.account === account,
  );
  const last = ofHold.at(-1)?.change;
  const forgotten = changes.flatMap(({ change }) => (change.type === "FORGET_HELD" ? change.queueIds : []));
  return {
    mails: kept.flatMap(({ event: one, at, decision, sending }) =>
      one.type === "DATA" && one.account === account && decision.counted && sending !== undefined
        ? [{ at, ...sending.mail }]
        : [],
    ),
    mail: event.type === "RECIPIENT" ? named : { ...named, ...completed(named, event) },
    recipient: event.type === "RECIPIENT" ? kindOf(policy, changes, event, sinceStart) : "written",
    holdEvidence: last?.type === "HOLD_ACCOUNT" ? last.evidence : null,
    vouchedAt: ofHold.findLast(({ change }) => change.type === "END_HOLD")?.at ?? instant(0),
    heldMails: changes.filter(
      ({ change }) => change.type === "HOLD_MAIL" && change.account === account && !forgotten.includes(change.queueId),
    ).length,
    isMailHeld: named.isHeld,
    isNewPlace: (after) =>
      !changes.some(
        ({ change, at }) =>
          change.type === "KNOW" && change.prefix === place && change.account.toLowerCase() === account && at <= after,
      ),
    refused: (since) => refused.filter((one) => one.account === account && one.at > since).length,
  };
}

/** A recipient about whom nothing is known, as after a restart, is a stranger. */
function completed(named: Named, { type, recipientCount: all }: DataCommand | EndOfMessage): RecipientCounts {
  const { recipients, written, strangers, again } = named;
  const others = Math.max(0, all - recipients) + (type === "END_OF_MESSAGE" ? again : 0);
  return { recipients: all, written: Math.min(written, all), strangers: Math.min(strangers, all) + others };
}

function kindOf(
  { domains }: Policy,
  changes: readonly Changed[],
  { account, recipient }: Sending,
  sinceStart: readonly Kept[],
): SendingFacts["recipient"] {
  if (recipient === null) return "written";
  const address = recipient.toLowerCase();
  if (domains.some((domain) => address.endsWith(`@${domain}`))) return "local";
  const wrote = changes.some(
    ({ change }) => change.type === "CORRESPOND" && change.address === address && change.account === account,
  );
  if (wrote) return "written";
  const unfinished = [...inFlight(sinceStart).values()].filter(({ countedFor }) => countedFor === account);
  return unfinished.some(({ names }) => names.includes(recipient)) ? "again" : "stranger";
}

/** Postfix names a recipient only if there is just one; several were named before. */
export function writtenToIn(sinceStart: readonly Kept[], event: Event): readonly string[] {
  if (event.type !== "END_OF_MESSAGE" || event.account === null) return [];
  return event.recipient === null ? namedIn(sinceStart, { ...event, account: event.account }).names : [event.recipient];
}

type Named = RecipientCounts &
  Readonly<{ of: string; names: readonly string[]; again: number; isHeld: boolean; countedFor: string | null }>;

const NOBODY: Named = { ...NO_RECIPIENTS, of: "", names: [], again: 0, isHeld: false, countedFor: null };

/** The recipients that this mail has named so far. */
function namedIn(kept: readonly Kept[], { session, transaction }: Sending): Named {
  const named = inFlight(kept).get(session);
  return named?.of === transaction ? named : NOBODY;
}

/** The last mail of each connection, while it has not ended. */
function inFlight(kept: readonly Kept[]): ReadonlyMap<string, Named> {
  const mails = new Map<string, Named>();
  for (const { event, decision, sending } of kept) {
    if (!("session" in event)) continue;
    if (event.type === "CONNECT" || event.type === "END_OF_MESSAGE") {
      mails.delete(event.session);
      continue;
    }
    const present = mails.get(event.session);
    const named = present?.of === event.transaction ? present : null;
    if (event.type === "DATA") {
      if (named === null || event.account === null) continue;
      const countedFor = decision.counted ? event.account : named.countedFor;
      mails.set(event.session, { ...named, isHeld: named.isHeld || decision.verdict === "hold", countedFor });
    } else if (event.account !== null && event.recipient !== null && decision.verdict === "pass") {
      const before = named ?? NOBODY;
      const kind = sending?.recipient;
      mails.set(event.session, {
        ...before,
        of: event.transaction,
        names: [...before.names, event.recipient],
        recipients: before.recipients + 1,
        written: before.written + (kind === "written" ? 1 : 0),
        strangers: before.strangers + (kind === "stranger" ? 1 : 0),
        again: before.again + (kind === "again" ? 1 : 0),
      });
    }
  }
  return mails;
}
