import type { Decision } from "../../core/decide/decision.ts";
import { type Connect, sessionOf } from "../../core/events/connection.ts";
import type { SmtpEvent } from "../../core/events/event.ts";
import type { Service } from "../../core/events/event-types.ts";
import type { MailAttributes } from "../../core/events/mail.ts";
import { smtpReplyOf } from "../../core/events/reasons.ts";
import { withoutTrailingDots } from "../../core/net/address.ts";
import { type Ip, parseIp } from "../../core/net/ip.ts";

/** Asks whether a client of the port at which Dovecot submits mail is Dovecot. */
export type SieveClient = Readonly<{ type: "SIEVE_CLIENT"; ip: Ip; clientPort: number }>;
/**
 * `NOTHING_TO_DECIDE`: stages that need no decision, and at which our configuration does not ask: EHLO, MAIL FROM, VRFY, ETRN.
 * `CLIENT_GONE`: the client reset its connection before Postfix read its address.
 */
export type PolicyRequest =
  | SmtpEvent
  | SieveClient
  | Readonly<{ type: "NOTHING_TO_DECIDE" }>
  | Readonly<{ type: "CLIENT_GONE" }>;
export type PolicyProblem = "not_name_value" | "not_a_policy_request" | "bad_client_address" | "bad_number";
/** The start of the context of a service that trusts a PROXY header; the service's name follows. */
export const PROXIED = "proxied-";
/** The context of the port at which Dovecot submits mail. */
export const SIEVE = "sieve";
type ParsedPolicy = Readonly<{ ok: true; value: PolicyRequest }> | Readonly<{ ok: false; reason: PolicyProblem }>;

const NOTHING_TO_DECIDE: ParsedPolicy = { ok: true, value: { type: "NOTHING_TO_DECIDE" } };

/**
 * Reads one request (SMTPD_POLICY_README): `name=value` lines, without the empty line at the end. Every mail waits for this, so it is one
 * pass that compares a name only if its length fits.
 */
export function parsePolicyRequest(block: string): ParsedPolicy {
  let request = "";
  let state = "";
  let context = "";
  let address = "";
  let port = "";
  let serverAddress = "";
  let serverPort = "";
  let clientName = "";
  let helo = "";
  let sender = "";
  let recipient = "";
  let recipientCount = "0";
  let account = "";
  let queueId = "";
  let size = "0";
  let transaction = "";

  for (let start = 0, end = 0; start <= block.length; start = end + 1) {
    end = block.indexOf("\n", start);
    if (end < 0) end = block.length;
    const equals = block.indexOf("=", start);
    if (equals <= start || equals > end) return problem("not_name_value");
    const value = equals + 1;
    switch (equals - start) {
      case 4:
        if (block.startsWith("size", start)) size = block.slice(value, end);
        break;
      case 6:
        if (block.startsWith("sender", start)) sender = block.slice(value, end);
        break;
      case 7:
        if (block.startsWith("request", start)) request = block.slice(value, end);
        break;
      case 8:
        if (block.startsWith("queue_id", start)) queueId = block.slice(value, end);
        else if (block.startsWith("instance", start)) transaction = block.slice(value, end);
        break;
      case 9:
        if (block.startsWith("recipient", start)) recipient = block.slice(value, end);
        else if (block.startsWith("helo_name", start)) helo = block.slice(value, end);
        break;
      case 11:
        if (block.startsWith("client_name", start)) clientName = block.slice(value, end);
        else if (block.startsWith("client_port", start)) port = block.slice(value, end);
        else if (block.startsWith("server_port", start)) serverPort = block.slice(value, end);
        break;
      case 13:
        if (block.startsWith("sasl_username", start)) account = block.slice(value, end);
        break;
      case 14:
        if (block.startsWith("protocol_state", start)) state = block.slice(value, end);
        else if (block.startsWith("client_address", start)) address = block.slice(value, end);
        else if (block.startsWith("server_address", start)) serverAddress = block.slice(value, end);
        else if (block.startsWith("policy_context", start)) context = block.slice(value, end);
        break;
      case 15:
        if (block.startsWith("recipient_count", start)) recipientCount = block.slice(value, end);
        break;
    }
  }

  if (request !== "smtpd_access_policy") return problem("not_a_policy_request");
  if (address === "unknown") return { ok: true, value: { type: "CLIENT_GONE" } };
  const ip = parseIp(address);
  if (ip === null) return problem("bad_client_address");
  if (context === SIEVE) return { ok: true, value: { type: "SIEVE_CLIENT", ip, clientPort: parseCount(port) ?? 0 } };
  const { service, isProxied } = callSite(context);
  const name = knownName(clientName);
  const session = sessionOf({ ip, port, serverPort, serverIp: serverAddress });
  if (state === "CONNECT") {
    const value: Connect = { type: "CONNECT", ip, service, session, clientName: name };
    return { ok: true, value: isProxied ? { ...value, proxied: true } : value };
  }

  const direct: MailAttributes = {
    ip,
    service,
    session,
    clientName: name,
    helo,
    sender: withoutTrailingDots(sender),
    recipient: recipient === "" ? null : withoutTrailingDots(recipient),
    account: account === "" ? null : account,
    queueId,
    transaction,
  };
  const mail: MailAttributes = isProxied ? { ...direct, proxied: true } : direct;
  if (state === "RCPT")
    return { ok: true, value: { type: "RECIPIENT", blockListing: null, senderExists: null, ...mail } };
  const count = parseCount(recipientCount);
  const sizeBytes = parseCount(size);
  if (count === null || sizeBytes === null) return problem("bad_number");
  if (state === "DATA") return { ok: true, value: { type: "DATA", recipientCount: count, ...mail } };
  if (state === "END-OF-MESSAGE")
    return { ok: true, value: { type: "END_OF_MESSAGE", recipientCount: count, sizeBytes, ...mail } };
  return NOTHING_TO_DECIDE;
}

/** Postfix's own reply when the disk is full (RFC 5321, 4.2.3; RFC 3463, 3.4). */
export const FULL = "action=452 4.3.1 Insufficient system storage\n\n";
/**
 * For a client that has gone, for one behind a proxy while anyone else could forge its PROXY header, and, while the stand-in answers, for
 * every client of Dovecot's port, because only the guard can identify Dovecot.
 */
export const UNAVAILABLE = "action=421 4.3.2 Service not available, try again later\n\n";
/** For a session that started before its account's sessions were ended. */
export const SESSION_OVER = "action=421 4.7.0 Session ended, sign in again\n\n";
/** Answers at the port at which Dovecot submits mail: to Dovecot, and to all others. */
export const WELCOME = "action=OK\n\n";
export const NOT_DOVECOT = "action=421 4.7.1 Only for programs of this mail server\n\n";
export const DUNNO = "action=DUNNO\n\n";

/** For SpamAssassin. Strangers who write it into a mail harm only that mail. */
export const FIRST_CONTACT_MARK_HEADER = "X-GhostInbox-Crowd";
export const FIRST_CONTACT_MARK_VALUE = "one of many first mails";

/** Passes with an action other than DUNNO. The first two are restriction classes of main.cf that ask Postgrey. */
const ACTIONS: Readonly<Partial<Record<Decision["reason"], string>>> = {
  greylist_asked: "greylist",
  recipient_hidden: "greylist_unknown",
  first_contacts_marked: `PREPEND ${FIRST_CONTACT_MARK_HEADER}: ${FIRST_CONTACT_MARK_VALUE}`,
};

/** What Postfix should do (access(5)). DUNNO leaves it to Postfix's own restrictions. */
export function printPolicyAction(decision: Decision, stage: PolicyRequest["type"]): string {
  return `action=${policyAction(decision, stage)}\n\n`;
}

function policyAction(decision: Decision, stage: PolicyRequest["type"]): string {
  const action = decision.simulated === undefined ? ACTIONS[decision.reason] : undefined;
  if (action !== undefined) return action;
  if (decision.verdict === "hold") return "HOLD";
  // Only sign-ins are delayed.
  if (decision.verdict === "pass" || decision.verdict === "delay") return "DUNNO";
  const text = smtpReplyOf(decision.reason);
  if (text === undefined) return "DUNNO";
  // Catalogue texts only, filled in with addresses and names from the settings. So nothing a stranger wrote can end a line.
  const reply = text.replace(/\{(\w+)\}/g, (_, name: string) => decision.fill?.[name] ?? "");
  // A 450 at CONNECT would keep the session open and be repeated for each command; 421 ends it (RFC 5321, 3.8).
  return stage === "CONNECT" && reply.startsWith("450 ") ? `421 ${reply.slice(4)}` : reply;
}

/** `policy_context` names the call site in the rendered main.cf and master.cf. */
export function callSite(context: string): Readonly<{ service: Service; isProxied: boolean }> {
  const isProxied = context.startsWith(PROXIED);
  const name = isProxied ? context.slice(PROXIED.length) : context;
  return { service: name === "submission" || name === "submissions" ? name : "smtp", isProxied };
}

/** Postfix writes `unknown` for a client without a confirmed name. */
export function knownName(clientName: string): string | null {
  return clientName === "" || clientName === "unknown" ? null : clientName;
}

/** Postfix prints counts in decimal. A size is at most 2^63, which a number holds closely enough. */
function parseCount(text: string): number | null {
  if (text.length < 1 || text.length > 19) return null;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i);
    if (digit < 48 || digit > 57) return null;
  }
  return Number(text);
}

function problem(reason: PolicyProblem): ParsedPolicy {
  return { ok: false, reason };
}
