import { BoundedMap } from "../../core/bounded-map.ts";
import { countedText, type Decision, type Evidence } from "../../core/decide/decision.ts";
import { NO_RECIPIENTS, type RecipientCounts } from "../../core/decide/facts.ts";
import { tooMuchForwarded, withOneMore } from "../../core/decide/sending.ts";
import { messageOf } from "../../core/error.ts";
import type { Event } from "../../core/events/event.ts";
import type { DataCommand, Recipient } from "../../core/events/mail.ts";
import { DAY_MS, HOUR_MS, isoTime, later } from "../../core/time.ts";
import type { Engine } from "../engine.ts";
import { mostMails } from "../facts/sending.ts";
import type { CountedForwards } from "../mailbox-ports.ts";
import type { Clock, Log, Submit } from "../ports.ts";
import type { SendingHistory } from "../storage-ports.ts";

type Parts = Readonly<{
  countedForwards: CountedForwards;
  sending: Pick<SendingHistory, "sentMails" | "hasWritten" | "holdOf">;
  engine: Pick<Engine, "policy" | "audit">;
  clock: Clock;
  log: Log;
}>;
/** A mail in flight: its recipients, and by account the copies that leave through the account's counted forwards. */
type Copies = Readonly<{ transaction: string; recipients: Set<string>; byAccount: Map<string, RecipientCounts> }>;

/** More than there are smtpd processes, each of which has one mail in flight. */
const MOST_SESSIONS = 10_000;

/**
 * Counts copies of mail that leave through forwards that root has not set (`CountedForwards`) as mail of the account that forwards. Past
 * the account's sending limits, these forwards are paused, even for the current recipient, because Postfix looks up its targets only after
 * the guard's answer. Mails that arrive at the same time are not added up: each may use the whole limit.
 */
export function watchingForwards(submit: Submit, parts: Parts): Submit {
  const { countedForwards, sending, engine, clock, log } = parts;
  const mails = new BoundedMap<string, Copies>(MOST_SESSIONS);
  const inFlight = ({ session, transaction }: DataCommand | Recipient): Copies => {
    const copies = mails.get(session);
    return copies?.transaction === transaction ? copies : { transaction, recipients: new Set(), byAccount: new Map() };
  };
  const addRecipient = (event: Recipient): void => {
    const recipient = event.recipient?.toLowerCase() ?? "";
    const reached = countedForwards.reached(recipient, clock.now());
    if (reached.length === 0) return;
    const copies = inFlight(event);
    if (copies.recipients.has(recipient)) return;
    // All reads come first, so that nothing is counted for this recipient if one fails.
    const added = [...Map.groupBy(reached, (one) => one.account)].map(([account, ways]) => {
      let counts = copies.byAccount.get(account) ?? NO_RECIPIENTS;
      for (const { target, isNew } of ways)
        counts = withOneMore(counts, isNew && !sending.hasWritten(account, target) ? "stranger" : "written");
      return { account, counts, isNew: ways.some((one) => one.isNew) };
    });
    copies.recipients.add(recipient);
    for (const { account, counts, isNew } of added) {
      const exceeded = exceededLimit(parts, account, { ...counts, isNew });
      if (exceeded === null) copies.byAccount.set(account, counts);
      else pause(parts, account, exceeded);
    }
    mails.set(event.session, copies);
  };
  const watch = (event: Event, { verdict }: Decision): void => {
    if (event.type === "RECIPIENT" && verdict === "pass" && !engine.policy.simulate) addRecipient(event);
    if (event.type !== "DATA") return;
    if (verdict === "pass" || verdict === "hold")
      for (const [account, counts] of inFlight(event).byAccount)
        countedForwards.count(account, { at: clock.now(), ...counts });
    mails.delete(event.session);
  };
  return (event, answer) =>
    submit(event, (decided) => {
      try {
        watch(event, decided);
      } catch (error) {
        // The mail passes: while a database cannot be read or written, other limits do not stop mail from outside either.
        log.warn("Forwarded mail is not counted.", { why: messageOf(error) });
      }
      answer(decided);
    });
}

/** The limit, and which forwards it applies to. */
type ExceededLimit = Readonly<{ evidence: Evidence; which: "new" | "all" }>;

function exceededLimit(
  { countedForwards, sending, engine, clock }: Parts,
  account: string,
  { isNew, ...copies }: RecipientCounts & Readonly<{ isNew: boolean }>,
): ExceededLimit | null {
  const now = clock.now();
  const span = { since: later(now, -DAY_MS), until: now };
  const { evidence: held, vouchedAt } = sending.holdOf(account, now);
  const mails = [
    ...sending.sentMails(account, { ...span, most: mostMails(engine.policy) }),
    ...countedForwards.sent(account, span),
  ];
  const sorted = mails.toSorted((a, b) => a.at - b.at);
  const facts = { mails: sorted, holdEvidence: held, vouchedAt };
  for (const which of isNew ? (["all", "new"] as const) : (["all"] as const)) {
    const evidence = tooMuchForwarded(engine.policy, { ...facts, isNew: which === "new" }, copies, now);
    if (evidence !== null) return { evidence, which };
  }
  return null;
}

function pause({ countedForwards, engine, clock }: Parts, account: string, { evidence, which }: ExceededLimit): void {
  const now = clock.now();
  const until = later(now, Math.max(evidence.windowMs, HOUR_MS));
  countedForwards.pause(account, { now, until, which });
  const where = which === "new" ? "new outside addresses" : "outside addresses that root has not set";
  const subject = `${account} (paused until ${isoTime(until)}: forwards to ${where}, ${countedText(evidence)})`;
  void engine.audit({ type: "FORWARDING_CHANGED", subject, account, by: "engine" });
}
