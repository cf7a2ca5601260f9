import { NO_RECIPIENTS, NO_SENDING, type RecipientCounts, type SendingFacts } from "../../src/core/decide/facts.ts";
import type { Policy } from "../../src/core/decide/policy.ts";
import type { Event } from "../../src/core/events/event.ts";
import type { DataCommand, EndOfMessage, Recipient } from "../../src/core/events/mail.ts";
import type { Prefix } from "../../src/core/net/ip.ts";
import { instant, type Millis } from "../../src/core/time.ts";
import { type Changed, changesOf, type Kept } from "./naive-recount.ts";
import type { Refusal } from "./scenario.ts";

/** What the oracle recounts of the mail of an account. */

type Sending = (Recipient | DataCommand | EndOfMessage) & Readonly<{ account: string }>;
/** The engine started after `from`, and forgot who was named. */
type Given = Readonly<{ from: number; policy: Policy; refused: readonly Refused[] }>;
/** A refusal that counts against an account. */
export type Refused = Readonly<{ at: Millis; account: string; mail: Kept; domain: string }>;

export function sendingFactsOf(kept: readonly Kept[], given: Given, event: Event, place: Prefix): SendingFacts {
  return "account" in event && event.account !== null
    ? factsOf(kept, given, { ...event, account: event.account }, place)
    : NO_SENDING;
}

/** Whose mail it was, since the engine started; once for each stranger whom it named. */
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
  return {
    mails: kept.flatMap(({ event: one, at, decision, sending }) =>
      one.type === "DATA" && one.account === account && decision.counted && sending !== undefined
        ? [{ at, ...sending.mail }]
        : [],
    ),
    mail: event.type === "RECIPIENT" ? named : { ...named, ...completed(named, event.recipientCount) },
    recipient: event.type === "RECIPIENT" ? kindOf(policy, changes, event) : "written",
    holdEvidence: last?.type === "HOLD_ACCOUNT" ? last.evidence : null,
    vouchedAt: ofHold.findLast(({ change }) => change.type === "END_HOLD")?.at ?? instant(0),
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
function completed({ recipients, written, strangers }: RecipientCounts, all: number): RecipientCounts {
  return {
    recipients: all,
    written: Math.min(written, all),
    strangers: Math.min(strangers, all) + Math.max(0, all - recipients),
  };
}

function kindOf({ domains }: Policy, changes: readonly Changed[], event: Sending): SendingFacts["recipient"] {
  const address = (event.recipient ?? "").toLowerCase();
  if (event.recipient === null) return "written";
  if (domains.some((domain) => address.endsWith(`@${domain}`))) return "local";
  const wrote = changes.some(
    ({ change }) => change.type === "CORRESPOND" && change.address === address && change.account === event.account,
  );
  return wrote ? "written" : "stranger";
}

/** Postfix names a recipient only if it is the only one; several were named before. */
export function writtenToIn(sinceStart: readonly Kept[], event: Event): readonly string[] {
  if (event.type !== "END_OF_MESSAGE" || event.account === null) return [];
  return event.recipient === null ? namedIn(sinceStart, { ...event, account: event.account }).names : [event.recipient];
}

type Named = RecipientCounts & Readonly<{ names: readonly string[]; isHeld: boolean }>;

/** Whom this mail has named so far, one mail a connection. */
function namedIn(kept: readonly Kept[], { session, transaction }: Sending): Named {
  const nobody = { ...NO_RECIPIENTS, names: [], isHeld: false };
  let named: Named & { readonly of: string } = { ...nobody, of: "" };
  for (const { event, decision, sending } of kept) {
    if (!("session" in event) || event.session !== session) continue;
    if (event.type === "CONNECT" || event.type === "END_OF_MESSAGE") named = { ...nobody, of: "" };
    else if (event.type === "DATA") {
      const isOf = named.recipients > 0 && named.of === event.transaction && decision.verdict === "hold";
      named = { ...named, isHeld: named.isHeld || isOf };
    } else if (event.account !== null && event.recipient !== null && decision.verdict === "pass") {
      const before: Named = named.of === event.transaction ? named : nobody;
      named = {
        of: event.transaction,
        names: [...before.names, event.recipient],
        isHeld: before.isHeld,
        recipients: before.recipients + 1,
        written: before.written + (sending?.recipient === "written" ? 1 : 0),
        strangers: before.strangers + (sending?.recipient === "stranger" ? 1 : 0),
      };
    }
  }
  const { of, ...counts } = named;
  return of === transaction ? counts : nobody;
}
