import { BoundedMap } from "../../core/bounded-map.ts";
import { decision } from "../../core/decide/decision.ts";
import { LIGHT_BYTES, MOST_IN_FILTERS } from "../../core/decide/mail.ts";
import type { Observation } from "../../core/events/log.ts";
import type { EndOfMessage, Excess } from "../../core/events/mail.ts";
import { neighbourhoodOf } from "../../core/net/ip.ts";
import { MINUTE_MS, type Millis } from "../../core/time.ts";
import type { Clock, Submit } from "../../guard/ports.ts";
import { isBlocked } from "../logs/content-filter-log.ts";
import { parseMailLine, timeOfLine } from "../logs/log-line.ts";
import { MILTER_FAILED, QUEUE_ID } from "../logs/patterns.ts";
import { CHECK_MS } from "../rspamd/rspamd-conf.ts";
import { BlockedTime, PartsTurns, WINDOW_MS } from "./parts-turns.ts";

/** A mail counts no longer than this, in case no log line shows its end. */
const LONGEST_MS = MINUTE_MS;
/** Caps one source's share, because a sender with slow DNS can keep Rspamd busy. */
const MOST_OF_SOURCE = MOST_IN_FILTERS / 2;
const MOST_SUBMITTED = 1_024;
/** Maximum mails of an account that may hide parts, while Rspamd reads them or they are being delivered. */
const MOST_HIDING = 3;
/** Prefix length of the block that a site is allocated: an attacker may have many networks of a site, but only one such block. */
const ALLOCATED_LENGTH = 32;
const MOST_SUSPECTS = 1_024;
const MOST_LATE_MS = 2 * CHECK_MS;

/** Once qmgr(8) has a mail, all filters are done with it. */
const ACTIVE = new RegExp(`^${QUEUE_ID}: from=<.*>, size=\\d+, nrcpt=\\d+ \\(queue active\\)$`, "s");
const ACTIVE_END = " (queue active)";

type Sender = Pick<EndOfMessage, "account" | "ip">;
/** A mail that Rspamd may be reading. */
type MailInFilters = {
  sizeBytes: number;
  /** The account, or the /48 (IPv4 /24) of a stranger. */
  source: string;
  /** The account, or the /32 (IPv4 /24) of a stranger (`senderOf`): who may become a suspect. */
  sender: string;
  since: Millis;
  /** What it costs Rspamd beyond its size. */
  extraBytes: number;
  /** Whether it is one of the few of its account that have a turn. Turns of strangers are in `PartsTurns`. */
  hasTurn: boolean;
};

/**
 * Bounds how much mail Rspamd reads at once. Without it, strangers who send much at the same time could keep it
 * busy for longer than Postfix waits for it, and all mail would be deferred.
 */
export class FilterLoad {
  /** By queue id, the oldest first. */
  readonly #mails = new Map<string, MailInFilters>();
  /** The latest mails of accounts, by queue id: a milter's refusal in the log does not say whose mail it was. */
  readonly #submitted = new BoundedMap<string, Pick<EndOfMessage, "account" | "service">>(MOST_SUBMITTED);
  /** Queue ids of loops, whose line in the log may come before the mail's end. */
  readonly #looped = new BoundedMap<string, true>(MOST_SUBMITTED);
  readonly #turns = new PartsTurns();
  /** Turns of strangers at known or wanted addresses, so that they wait for no other strangers. */
  readonly #knownTurns = new PartsTurns();
  /** Turns of strangers who are suspects. */
  readonly #suspectTurns = new PartsTurns();
  /** Senders of mails that Rspamd was reading when it ended, and the time of that. */
  readonly #suspects = new BoundedMap<string, Millis>(MOST_SUSPECTS);
  /** When a mail with a turn was last among those that Rspamd was reading as it ended. */
  #blamedAt: Millis | null = null;
  /** When Rspamd was last blocked, according to its log. */
  #blockedAt: Millis | null = null;
  /** How long the mails of each account have blocked Rspamd. */
  readonly #blockedBy = new BoundedMap<string, BlockedTime>(MOST_SUSPECTS);
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Asked up to twice at the end of a mail. First Postfix asks about every mail. It counts as load until the engine refuses it or a log line
   * shows that Rspamd is done with it; a stranger's large mail is deferred if there is too much. Then, before Rspamd reads it, our milter
   * asks again about some mails (`MilterQuestion`), such as those that may hide parts. Of those that need a turn, Rspamd reads at the same
   * time one from strangers (and one from suspects among them that cannot hide parts), one from strangers at known or wanted addresses
   * (`PartsTurns`), and a few of each account. The others are deferred.
   */
  limiting(submit: Submit): Submit {
    return (event, answer) => {
      if (event.type !== "END_OF_MESSAGE") return submit(event, answer);
      const ask = (mail: EndOfMessage): void =>
        submit(mail, (decided) => {
          const isFromKnownAddress = mail.excess?.of === "waits_for_turn" && decided.verdict === "pass";
          if (isFromKnownAddress && !this.#takesTurn(this.#knownTurns, mail))
            return ask({ ...mail, excess: { of: "known_waits_too" } });
          if (decided.verdict === "refuse" || decided.verdict === "defer") this.#removeMail(mail.queueId);
          answer(decided);
        });
      if (event.excess !== undefined) return ask(event);
      const needsTurn = event.mayHideParts === true || event.isSuspect === true;
      // Postfix asks. Our milter asks only with one of the findings checked here.
      if (!needsTurn && event.weightBytes === undefined) return ask(this.#addMail(event));
      if (needsTurn && !this.#getsTurn(event)) return ask({ ...event, excess: { of: "waits_for_turn" } });
      const { weightBytes = 0 } = event;
      const excess = weightBytes > event.sizeBytes ? this.#addWeight(event, weightBytes - event.sizeBytes) : null;
      if (excess !== null) return ask({ ...event, excess });
      // Nothing new to decide or record: the engine accepted the mail when Postfix asked.
      answer(decision("pass", "below_limit"));
    };
  }

  /**
   * Notes log lines that show that Rspamd is done with a mail: a milter's finding (SPF, DKIM or spam; SpamAssassin reads after Rspamd), a
   * refusal, or an attempt to deliver it. No filter reads a mail that cleanup(8) takes for a loop. Adds the account whose mail was refused.
   */
  observe(observation: Observation | null): Observation | null {
    const isLooped = observation?.type === "MAIL_LOOPED";
    if (isLooped) this.#looped.set(observation.queueId, true);
    const isDone =
      isLooped ||
      observation?.type === "MAIL_JUDGED" ||
      observation?.type === "CONTENT_REFUSED" ||
      observation?.type === "MAIL_TRIED";
    if (isDone) this.#removeMail(observation.queueId, "reply" in observation && observation.reply === MILTER_FAILED);
    if (observation?.type !== "CONTENT_REFUSED") return observation;
    return { ...observation, ...this.#submitted.get(observation.queueId) };
  }

  /** Notes that all filters are done with a mail that qmgr(8) has. Takes any line of mail.log or of spamd's log. */
  readActive(line: string): void {
    const said = line.endsWith(ACTIVE_END) ? parseMailLine(line) : null;
    const queueId = said?.program === "qmgr" ? ACTIVE.exec(said.text)?.groups?.["queue"] : undefined;
    if (queueId !== undefined) this.#removeMail(queueId);
  }

  /**
   * Reads a line of Rspamd's log. While Rspamd is blocked, it logs one for each check. If several mails have a turn, any may be the cause.
   * A line counts once, and only if it is new, because after a fault lines are read late or again.
   */
  readRspamd(line: string): null {
    if (!isBlocked(line)) return null;
    const now = this.#clock.now();
    const at = timeOfLine(line, now);
    if (at === null || Math.abs(now - at) > MOST_LATE_MS) return null;
    const sinceLast = at - (this.#blockedAt ?? -Infinity);
    if (sinceLast <= 0 && sinceLast >= -MOST_LATE_MS) return null;
    this.#blockedAt = at;
    for (const turns of [this.#turns, this.#knownTurns, this.#suspectTurns]) turns.blocked(CHECK_MS, now, at);
    const withTurn = this.#mails.values().filter(({ hasTurn }) => hasTurn);
    for (const account of new Set(withTurn.map(({ source }) => source))) {
      const blocked = this.#blockedBy.get(account) ?? new BlockedTime();
      blocked.add(CHECK_MS, now);
      this.#blockedBy.set(account, blocked);
    }
    return null;
  }

  /**
   * Whether Rspamd ended while it read a mail of this account or network. If none of the mails that it was reading had a turn, any may have
   * blocked it, whatever its parts. From then on Rspamd reads these senders' mails one at a time, apart from those that may hide parts.
   */
  isSuspect(sender: Sender): boolean {
    const since = this.#suspects.get(senderOf(sender));
    return since !== undefined && Math.abs(this.#clock.now() - since) < WINDOW_MS;
  }

  /**
   * Adds the mail, or returns it with the excess for which it is deferred. Of an account's mails only heavy ones are deferred
   * (`#addWeight`): Postfix defers the others if Rspamd does not answer in time, so that none leaves unsigned.
   */
  #addMail(mail: EndOfMessage): EndOfMessage {
    const now = this.#clock.now();
    const { queueId, sizeBytes, account, service } = mail;
    for (const [old, { since }] of this.#mails) {
      if (Math.abs(now - since) < LONGEST_MS) break;
      this.#removeMail(old);
    }
    // Postfix reuses queue ids.
    if (account === null) this.#submitted.delete(queueId);
    else this.#submitted.set(queueId, { account, service });
    // Postfix may repeat a question.
    this.#removeMail(queueId);
    if (this.#looped.get(queueId) === true) {
      this.#looped.delete(queueId);
      return mail;
    }
    const source = account?.toLowerCase() ?? neighbourhoodOf(mail.ip, 48);
    const excess = account === null && sizeBytes > LIGHT_BYTES ? this.#ofStrangers(source, null) : null;
    if (excess !== null) return { ...mail, excess };
    const sender = senderOf(mail);
    this.#mails.set(queueId, { sizeBytes, source, sender, since: now, extraBytes: 0, hasTurn: false });
    return mail;
  }

  /** Adds the cost beyond the mail's size that our milter found, or returns the excess for which the mail is deferred. */
  #addWeight({ queueId, account }: EndOfMessage, extraBytes: number): Excess | null {
    const mail = this.#mails.get(queueId);
    if (mail === undefined) return null;
    const excess = account === null ? this.#ofStrangers(mail.source, queueId) : this.#ofAccount(mail.source);
    if (excess === null) mail.extraBytes = extraBytes;
    return excess;
  }

  /** `heavy`: the mail in question, if it is heavy. To a plain mail, the extra cost of heavy mails counts only within its source. */
  #ofStrangers(source: string, heavy: string | null): Excess | null {
    const bytes = new Map<string, number>();
    for (const [queueId, mail] of this.#mails) {
      if (queueId === heavy) continue;
      const extraBytes = heavy !== null || mail.source === source ? mail.extraBytes : 0;
      bytes.set(mail.source, (bytes.get(mail.source) ?? 0) + mail.sizeBytes + extraBytes);
    }
    const all = bytes.values().reduce((sum, each) => sum + Math.min(each, MOST_OF_SOURCE), 0);
    const isFull = (bytes.get(source) ?? 0) >= MOST_OF_SOURCE || all >= MOST_IN_FILTERS;
    return isFull ? { of: "bytes_in_filters", count: Math.round(all) } : null;
  }

  /** A heavy mail of an account waits only for others of that account. */
  #ofAccount(account: string): Excess | null {
    const mails = this.#mails.values().filter(({ source }) => source === account);
    const bytes = mails.reduce((sum, { extraBytes }) => sum + extraBytes, 0);
    return bytes >= MOST_OF_SOURCE ? { of: "bytes_in_filters", count: Math.round(bytes) } : null;
  }

  #takesTurn(turns: PartsTurns, { queueId, ip }: EndOfMessage): boolean {
    return turns.take(queueId, senderOf({ account: null, ip }), this.#clock.now());
  }

  /** Gives a mail that needs a turn its turn if it may have one now. */
  #getsTurn(event: EndOfMessage): boolean {
    const { queueId, account, mayHideParts } = event;
    const isHiding = mayHideParts === true;
    if (account === null) return this.#takesTurn(isHiding ? this.#turns : this.#suspectTurns, event);
    const mail = this.#mails.get(queueId);
    if (mail === undefined) return false;
    const others = this.#mails.values().filter((one) => one.hasTurn && one.source === mail.source);
    const isOver = this.#blockedBy.get(mail.source)?.isTooLong(this.#clock.now()) === true;
    const isSuspect = this.isSuspect(event);
    const most = isHiding && (isOver || isSuspect) ? 0 : isSuspect ? 1 : MOST_HIDING;
    mail.hasTurn = others.toArray().length < most;
    return mail.hasTurn;
  }

  /**
   * Returns whether this mail, which Rspamd was reading as it ended, is blamed. If one of those mails had a turn, other than one of
   * `#suspectTurns`, only that one is.
   */
  #blame(queueId: string, mail: MailInFilters | undefined, now: Millis): boolean {
    const holders = [this.#turns.holder, this.#knownTurns.holder];
    const hadTurn = holders.includes(queueId) || mail?.hasTurn === true;
    if (hadTurn) this.#blamedAt = now;
    const wasOneBlamed = this.#blamedAt !== null && Math.abs(now - this.#blamedAt) < LONGEST_MS;
    const isAnotherHeld = holders.some((one) => one !== null) || this.#mails.values().some((one) => one.hasTurn);
    return hadTurn || !(wasOneBlamed || isAnotherHeld);
  }

  #removeMail(queueId: string, hasFailed = false): void {
    const now = this.#clock.now();
    const mail = this.#mails.get(queueId);
    const isBlamed = hasFailed && this.#blame(queueId, mail, now);
    for (const turns of [this.#turns, this.#knownTurns]) turns.end(queueId, now, hasFailed);
    this.#suspectTurns.end(queueId, now, isBlamed);
    if (mail === undefined) return;
    if (isBlamed) this.#suspects.set(mail.sender, now);
    this.#mails.delete(queueId);
  }
}

function senderOf({ account, ip }: Sender): string {
  return account?.toLowerCase() ?? neighbourhoodOf(ip, ALLOCATED_LENGTH);
}
