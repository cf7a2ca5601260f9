import type { Decision } from "../../core/decide/decision.ts";
import { type Connect, sessionOf } from "../../core/events/connection.ts";
import type { Service } from "../../core/events/event-types.ts";
import type { DataCommand, EndOfMessage, MailAttributes, Recipient } from "../../core/events/mail.ts";
import { smtpReplyOf } from "../../core/events/reasons.ts";
import { withoutTrailingDots } from "../../core/net/address.ts";
import { type Ip, parseIp } from "../../core/net/ip.ts";

/** Asks whether a client of the port at which Dovecot submits mail is Dovecot. */
export type SieveClient = Readonly<{ type: "SIEVE_CLIENT"; ip: Ip; clientPort: number }>;
/** `NOTHING_TO_DECIDE`: stages that need no decision, and at which our configuration does not ask: EHLO, MAIL FROM, VRFY, ETRN. */
export type PolicyRequest =
  | Connect
  | Recipient
  | DataCommand
  | EndOfMessage
  | SieveClient
  | Readonly<{ type: "NOTHING_TO_DECIDE" }>;
export type PolicyProblem = "not_name_value" | "not_a_policy_request" | "bad_client_address" | "bad_number";
/** The start of the context of a service that trusts a PROXY header; the service's name follows. */
export const PROXIED = "proxied-";
/** The context of the port at which Dovecot submits mail. */
export const SIEVE = "sieve";
type ParsedPolicy = Readonly<{ ok: true; value: PolicyRequest }> | Readonly<{ ok: false; reason: PolicyProblem }>;

const NOTHING_TO_DECIDE: ParsedPolicy = { ok: true, value: { type: "NOTHING_TO_DECIDE" } };

/** The attributes that are read. */
const NAMES = [
  ...(["request", "protocol_state", "policy_context", "client_address", "client_port", "client_name"] as const),
  ...(["server_address", "server_port", "helo_name", "sender", "recipient", "recipient_count"] as const),
  ...(["sasl_username", "queue_id", "size", "instance"] as const),
];
type Name = (typeof NAMES)[number];
const BY_LENGTH = Array.from({ length: 16 }, (_, length) => NAMES.filter((name) => name.length === length));

/**
 * Reads one request (SMTPD_POLICY_README): `name=value` lines, without the empty line at the end. Every mail waits for
 * this, so it is one pass that looks at a name only if its length fits.
 */
export function parsePolicyRequest(block: string): ParsedPolicy {
  const sent: Partial<Record<Name, string>> = {};
  for (let start = 0, end = 0; start <= block.length; start = end + 1) {
    end = block.indexOf("\n", start);
    if (end < 0) end = block.length;
    const equals = block.indexOf("=", start);
    if (equals <= start || equals > end) return problem("not_name_value");
    for (const name of BY_LENGTH[equals - start] ?? [])
      if (block.startsWith(name, start)) sent[name] = block.slice(equals + 1, end);
  }

  if (sent.request !== "smtpd_access_policy") return problem("not_a_policy_request");
  const { protocol_state: state, policy_context: context = "", client_port: port = "" } = sent;
  const { server_port: serverPort = "", server_address: serverIp = "" } = sent;
  const ip = parseIp(sent.client_address ?? "");
  if (ip === null) return problem("bad_client_address");
  if (context === SIEVE) return { ok: true, value: { type: "SIEVE_CLIENT", ip, clientPort: parseCount(port) ?? 0 } };
  const { service, isProxied } = callSite(context);
  const client = {
    ip,
    service,
    session: sessionOf({ ip, port, serverPort, serverIp }),
    clientName: knownName(sent.client_name ?? ""),
    ...(isProxied && { proxied: true as const }),
  };
  if (state === "CONNECT") return { ok: true, value: { type: "CONNECT", ...client } };
  const mail: MailAttributes = {
    ...client,
    helo: sent.helo_name ?? "",
    sender: withoutTrailingDots(sent.sender ?? ""),
    recipient: withoutTrailingDots(sent.recipient ?? "") || null,
    account: sent.sasl_username || null,
    queueId: sent.queue_id ?? "",
    transaction: sent.instance ?? "",
  };
  if (state === "RCPT")
    return { ok: true, value: { type: "RECIPIENT", blockListing: null, senderExists: null, ...mail } };
  const recipientCount = parseCount(sent.recipient_count ?? "0");
  const sizeBytes = parseCount(sent.size ?? "0");
  if (recipientCount === null || sizeBytes === null) return problem("bad_number");
  if (state === "DATA") return { ok: true, value: { type: "DATA", recipientCount, ...mail } };
  if (state === "END-OF-MESSAGE")
    return { ok: true, value: { type: "END_OF_MESSAGE", recipientCount, sizeBytes, ...mail } };
  return NOTHING_TO_DECIDE;
}

/** Postfix's own reply when the disk is full (RFC 5321, 4.2.3; RFC 3463, 3.4). */
export const FULL = "action=452 4.3.1 Insufficient system storage\n\n";
/**
 * For a client behind a proxy while others could forge its PROXY header, and, while the stand-in answers, for every client of Dovecot's
 * port, because only the guard can identify Dovecot.
 */
export const UNGUARDED = "action=421 4.3.2 Service not available, try again later\n\n";
/** For a session that started before its account's sessions were ended. */
export const SESSION_OVER = "action=421 4.7.0 Session ended, sign in again\n\n";
/** At the port at which Dovecot submits mail: for Dovecot, and for all others. */
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
  if (decision.verdict === "pass" || decision.verdict === "delay") return "DUNNO";
  const text = smtpReplyOf(decision.reason);
  if (text === undefined) return "DUNNO";
  const reply = filled(text, decision.fill);
  // A 450 at CONNECT would keep the session open and be repeated for each command; 421 ends it (RFC 5321, 3.8).
  return stage === "CONNECT" && reply.startsWith("450 ") ? `421 ${reply.slice(4)}` : reply;
}

/** Catalogue texts only, filled in with addresses and names from the settings. So nothing a stranger wrote can end a line. */
function filled(reply: string, values: Decision["fill"]): string {
  return reply.replace(/\{(\w+)\}/g, (_, name: string) => values?.[name] ?? "");
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
