import type { Change } from "../decide/decision.ts";
import type { Ip, Prefix } from "../net/ip.ts";
import type { Millis } from "../time.ts";
import { actionOf, type EventColumns, row, type Sentence, shown, stored, storedOrNull } from "./columns.ts";
import type { EventType, Service } from "./event-types.ts";
import type { ClientFault, Reason } from "./reasons.ts";
import type { RestOf } from "./rest-schemas.ts";

/** A component's log line about a mail or a client, which needs no decision. Fail2ban reads the same lines (mail/fail2ban/filters.ts). */
export type Observation =
  | Readonly<{
      type: "SPAM_SCORED";
      score: number;
      required: number;
      messageId: string;
      /** Null if the mail had several, or if it is unknown. */
      recipient: string | null;
    }>
  /** A milter refused the mail because of its content, or deferred it. */
  | Readonly<{
      type: "CONTENT_REFUSED";
      ip: Ip;
      reason: ContentReason;
      /** The account that had signed in; null for a stranger, or if the guard has started since and the reply names none. */
      account: string | null;
      service: Service;
      queueId: string;
      sender: string;
      recipient: string;
      reply: string;
    }>
  /** A client's mistake that Postfix or Dovecot handled. `times`: how often, in one line. */
  | Readonly<{
      type: "CLIENT_FAULT";
      ip: Ip;
      service: Service;
      reason: ClientFault;
      detail: string;
      times: number;
      /** As far as the line of a refused mail names them; `account`: who had signed in. */
      account: string | null;
      sender: string | null;
      recipient: string | null;
    }>
  /** A failed sign-in while the guard was down; otherwise Dovecot asks the guard. */
  | Readonly<{ type: "LOGIN_UNSEEN"; ip: Ip; service: Service; login: string; times: number }>
  /** Which Message-ID belongs to which queue id, once the header is read. A milter may still refuse the mail. */
  | Readonly<{ type: "MAIL_QUEUED"; queueId: string; messageId: string }>
  /** Postfix refused a mail that had passed through too many servers, or whose content was too large. */
  | Readonly<{ type: "MAIL_LOOPED" | "MAIL_TOO_LARGE"; queueId: string }>
  /** The outcome, for each recipient and attempt. */
  | Readonly<{
      type: "MAIL_TRIED";
      queueId: string;
      recipient: string;
      /** The address that led to the recipient, as the sender wrote it; null if it was the recipient's own. */
      alias: string | null;
      /**
       * `withheld`: a bounce that was not sent, because the sender of the original mail was not proven. `expired`: it waited too long;
       * `returned`: an administrator had it returned.
       */
      outcome: "sent" | "deferred" | "bounced" | "withheld" | Expired["outcome"];
      /** The program and destination; then the answer of the other side. */
      relay: string;
      reply: string;
      /** The remote server; null if the mail stayed here. */
      server: Ip | null;
    }>
  | Expired
  /**
   * What the milters found about a stranger's mail before it was accepted. Not recorded: it decides the delivery's credit, and shows that
   * Rspamd is done with the mail (mail/postfix/filter-load.ts).
   */
  | Readonly<{ type: "MAIL_JUDGED"; queueId: string; found: MailFinding }>;

export type ContentReason = Extract<
  Reason,
  "spam_refused" | "dmarc_refused" | "author_unclear" | "author_not_own" | "filter_refused" | "filter_deferred"
>;

/** `spf`, `dkim`: the sender was proven, by SPF or only by a signature. `spam`: the mail was marked. */
export type MailFinding = "spf" | "dkim" | "spam";

type Tried = Extract<Observation, { type: "MAIL_TRIED" }>;
/** Postfix gave up a mail. Its line names no recipient: `expiredFor` does. */
export type Expired = Readonly<{ type: "MAIL_EXPIRED"; queueId: string; outcome: "expired" | "returned" }>;
/** `relay`: that of the last attempt. */
export type WaitingRecipient = Pick<Tried, "recipient" | "alias" | "relay">;
/** The credit of a delivery for a server. */
export type Credited = Extract<Change, { type: "CREDIT" }>;
/** What the outcome of a delivery means for the server at the other side, or for the account that sent the mail. */
export type Consequence = Credited | Extract<Change, { type: "NOTE_REFUSAL" }>;

type LogRest = RestOf<Exclude<Observation["type"], "MAIL_JUDGED" | "MAIL_EXPIRED">>;

/** The outcome of an expired mail for each recipient for whom it still waited. */
export function expiredFor({ queueId, outcome }: Expired, waiting: readonly WaitingRecipient[]): readonly Tried[] {
  const reply = outcome === "expired" ? "the mail waited too long" : "an administrator had the mail returned";
  return waiting.map((one) => ({ type: "MAIL_TRIED", queueId, ...one, outcome, reply, server: null }));
}

/** Null for `MAIL_JUDGED` and `MAIL_EXPIRED`, which are not recorded. `consequence`: of a delivery. Only `NOTE_REFUSAL` has an account. */
export function observationRecord(
  observation: Observation,
  at: Millis,
  prefixOf: (ip: Ip) => Prefix,
  consequence: Consequence | null = null,
): (EventColumns & Readonly<{ rest: LogRest }>) | null {
  switch (observation.type) {
    case "SPAM_SCORED": {
      const { type, messageId, score, required } = observation;
      const verdict = score >= required ? "mark" : "pass";
      const recipient = storedOrNull(observation.recipient);
      return row({ at, type, recipient, messageId: stored(messageId), verdict }, { event: type, score, required });
    }
    case "CONTENT_REFUSED": {
      const { ip, reason, account, service, queueId, sender, recipient } = observation;
      const mail = { sender: stored(sender), recipient: stored(recipient), queueId: stored(queueId) };
      const about = { at, service, ip, prefix: prefixOf(ip), account, reason, ...mail } as const;
      const rest = { event: observation.type, reply: stored(observation.reply) };
      return reason === "filter_deferred"
        ? row({ type: "EMAIL_DEFERRED", verdict: "defer", ...about }, rest)
        : row({ type: "EMAIL_BLOCKED", verdict: "refuse", ...about }, rest);
    }
    case "CLIENT_FAULT": {
      const { type, ip, service, reason, detail, times } = observation;
      const rest = { event: type, detail: stored(detail), times };
      const faultType = FAULT_TYPES[reason] ?? "SESSION_FAULT";
      const mail = {
        account: storedOrNull(observation.account),
        sender: storedOrNull(observation.sender),
        recipient: storedOrNull(observation.recipient),
      };
      return row({ at, type: faultType, service, ip, prefix: prefixOf(ip), reason, ...mail }, rest);
    }
    case "LOGIN_UNSEEN": {
      const { type, ip, service, login, times } = observation;
      const account = login === "" ? null : stored(login);
      const about = { service, ip, prefix: prefixOf(ip), account, reason: "unseen_login_failure" } as const;
      return row({ at, type: "LOGIN_FAILED", ...about }, { event: type, times });
    }
    case "MAIL_QUEUED": {
      const { type, queueId, messageId } = observation;
      return row({ at, type: "EMAIL_QUEUED", queueId, messageId: stored(messageId) }, { event: type });
    }
    case "MAIL_LOOPED":
    case "MAIL_TOO_LARGE": {
      const { type, queueId } = observation;
      const reason = type === "MAIL_LOOPED" ? "mail_loop" : "too_large";
      return row({ at, type: "EMAIL_BLOCKED", verdict: "refuse", reason, queueId }, { event: type });
    }
    case "MAIL_TRIED": {
      const { queueId, outcome, alias, relay, reply, server } = observation;
      const [type, usual] = TRIED[outcome];
      const verdict = isLost(observation) ? "lose" : usual;
      const account = consequence?.type === "NOTE_REFUSAL" ? consequence.account : null;
      const columns = { at, type, account, verdict, queueId, recipient: stored(observation.recipient) } as const;
      return row(columns, {
        event: observation.type,
        outcome,
        alias: alias === null ? undefined : stored(alias),
        relay: stored(relay),
        reply: stored(reply),
        server: server ?? undefined,
        credit:
          consequence?.type === "CREDIT"
            ? { prefix: consequence.prefix, network: consequence.network, mail: consequence.mail }
            : undefined,
      });
    }
    case "MAIL_JUDGED":
    case "MAIL_EXPIRED":
      return null;
  }
}

export function logSentence(recorded: EventColumns, rest: LogRest): Sentence {
  const { service, account, sender, recipient, queueId, messageId, verdict } = recorded;
  switch (rest.event) {
    case "SPAM_SCORED": {
      const to = recipient === null ? "" : ` to=<${shown(recipient)}>`;
      return {
        details: `score=${rest.score} required=${rest.required} message_id=${shown(messageId)}${to}`,
        action: actionOf(verdict),
      };
    }
    case "CONTENT_REFUSED": {
      const mail = `from=<${shown(sender)}> to=<${shown(recipient)}> queue_id=${shown(queueId)}`;
      return { details: `${service} ${mail}: ${shown(rest.reply)}`, action: actionOf(verdict) };
    }
    case "CLIENT_FAULT":
      return { details: `${service} ${shown(rest.detail)}${often(rest.times)}`, action: "noted" };
    case "LOGIN_UNSEEN":
      return { details: `${service} login=<${shown(account)}>${often(rest.times)}`, action: "noted" };
    case "MAIL_QUEUED":
      return { details: `queue_id=${queueId} message_id=${shown(messageId)}`, action: "queued" };
    case "MAIL_LOOPED":
    case "MAIL_TOO_LARGE":
      return { details: `queue_id=${queueId}`, action: actionOf(verdict) };
    case "MAIL_TRIED": {
      const by = rest.alias === undefined ? "" : ` for=<${shown(rest.alias)}>`;
      const [, , triedAction] = TRIED[rest.outcome];
      return {
        details: `queue_id=${queueId} to=<${shown(recipient)}>${by} by ${shown(rest.relay)}: ${shown(rest.reply)}`,
        action: verdict === "lose" ? actionOf(verdict) : triedAction,
      };
    }
  }
}

const TRIED = {
  sent: ["EMAIL_DELIVERED", "pass", "delivered"],
  deferred: ["EMAIL_DELAYED", "defer", "tried again later"],
  bounced: ["EMAIL_BOUNCED", "refuse", "failed permanently"],
  expired: ["EMAIL_BOUNCED", "refuse", "failed permanently"],
  returned: ["EMAIL_BOUNCED", "refuse", "returned to its sender"],
  withheld: ["BOUNCE_WITHHELD", "withhold", "not reported to its sender"],
} as const satisfies Record<Tried["outcome"], readonly [EventType, EventColumns["verdict"], string]>;

/** Whether mail for a local user or an alias failed permanently. A user's own mail that other servers refuse is not lost. */
function isLost({ outcome, relay, alias }: Tried): boolean {
  if (outcome === "bounced") return alias !== null || !relay.startsWith("smtp ");
  return outcome === "expired" && (alias !== null || relay.startsWith("lmtp "));
}

/** Any other fault is a SESSION_FAULT. */
const FAULT_TYPES: Partial<Record<ClientFault, EventType>> = {
  tls_failed: "TLS_FAILED",
  relay_refused: "EMAIL_BLOCKED",
  helo_refused: "EMAIL_BLOCKED",
  sender_refused: "EMAIL_BLOCKED",
  recipient_unknown: "EMAIL_BLOCKED",
  too_large: "EMAIL_BLOCKED",
  mailbox_full: "EMAIL_DEFERRED",
  filter_deferred: "EMAIL_DEFERRED",
  postfix_deferred: "EMAIL_DEFERRED",
};

function often(times: number): string {
  return times > 1 ? ` (${times} times)` : "";
}
