import type { ClientFault } from "../../core/events/reasons.ts";

/**
 * What a line of mail.log may say about a client, as data. A pattern is matched against the program's text, after the
 * start that the program writes itself (log-line.ts), and anchored there. The client's address comes before
 * anything that the client chose, or is read from the end if it comes last. No two adjacent quantifiers can match the
 * same characters, so the time is proportional to the line.
 */
export type LogPattern = Readonly<{
  /**
   * Groups: `ip`; `detail`, what to show of it; `tries`, if it counts; `login`, the name that was tried. Of a refused mail: `owner`, who
   * had signed in; `sender`; `recipient`.
   */
  matches: RegExp;
  /** True: only on port 25, which does not offer sign-in; false: only on the other ports. */
  port25?: boolean;
  /** The guard learns of a failed sign-in directly, unless it was down, when only the log has it. */
  reports: ClientFault | "login_failed";
}>;

/** By name, in the order in which they are tried. */
type LogPatterns = Readonly<Record<string, LogPattern>>;

/** `NAME[IP]`: the name is confirmed by the DNS, or `unknown`; Postfix allows no other characters in it. */
export const CLIENT = "[^\\s[\\]]{1,255}\\[(?<ip>[0-9a-f.:]{2,45})\\](?::\\d{1,5})?";
/** What a path holds, including quoted local parts (RFC 5321, 4.1.2). */
export const IN_PATH = '(?:"(?:[^"\\\\]|\\\\.){0,512}"|[^">]){0,1024}';
export const PATH = `<${IN_PATH}>`;
export const QUEUE_ID = "(?<queue>[0-9A-Za-z]{5,23})";
/** The state of a session: a command of SMTP, or CONNECT, UNKNOWN, END-OF-MESSAGE. */
export const STATE = "[A-Z][A-Z-]{0,30}";

function seen(reports: LogPattern["reports"], text: string): LogPattern {
  return { matches: new RegExp(text), reports };
}

/** What happens to sessions with Postfix. */
const SESSION_PATTERNS: LogPatterns = {
  lost_connection: seen(
    "lost_connection",
    `^lost connection after (?<detail>${STATE}(?: \\(\\d+ bytes\\))?) from ${CLIENT}$`,
  ),
  timed_out: seen("timed_out", `^timeout after (?<detail>${STATE}(?: \\(\\d+ bytes\\))?) from ${CLIENT}$`),
  too_many_errors: seen("too_many_errors", `^too many errors after (?<detail>${STATE}) from ${CLIENT}$`),
  pipelining: seen(
    "pipelining",
    `^improper command pipelining after (?<state>${STATE}) from ${CLIENT}: (?<detail>.*)$`,
  ),
  tls_failed: seen("tls_failed", `^SSL_accept error from ${CLIENT}: (?<detail>.*)$`),
  auth_not_offered: {
    port25: true,
    ...seen(
      "auth_not_offered",
      `^disconnect from ${CLIENT}(?: (?!auth=)[a-z_]+=\\d+(?:/\\d+)?)* (?<detail>auth=(?:\\d+/)?(?<tries>\\d+))(?: [a-z_]+=\\d+(?:/\\d+)?)*$`,
    ),
  },
  malformed_command: seen("malformed_command", `^warning: non-SMTP command from ${CLIENT}: (?<detail>.*)$`),
  malformed_address: seen(
    "malformed_command",
    `^warning: Illegal address syntax from ${CLIENT} in (?:MAIL|RCPT|VRFY) command: (?<detail>.*)$`,
  ),
  refused_address: seen("malformed_command", `^${CLIENT}: replacing command "(?<detail>.*)" with "(?:MAIL|RCPT)"$`),
  request_too_long: seen("malformed_command", `^warning: ${CLIENT}: request longer than (?<detail>\\d+: .*)$`),
  postfix_limit: seen(
    "postfix_limit",
    `^warning: (?<detail>[A-Z][a-z]+(?: [a-z]+){1,4} limit exceeded: \\d+) from ${CLIENT} for service [\\w:.-]+$`,
  ),
  login_failed_smtp: seen(
    "login_failed",
    `^warning: ${CLIENT}: SASL (?<mechanism>[A-Za-z0-9-]{1,20}) authentication failed: ` +
      "(?!Connection lost to authentication server|Invalid authentication mechanism)[^,]{0,400}" +
      "(?:, sasl_username=(?:\\(unavailable\\)|(?<login>.*)))?$",
  ),
};

/** Postfix's reply to an account that names no sender. */
export const NULL_SENDER_REFUSED = "Use one of your own addresses as the sender";

/** Dovecot's text for Postfix's reply while the recipient's mailbox is full. */
export const MAILBOX_FULL = "Mailbox is full";

/** Postfix's reply if a milter ended or gave no answer, and the mail is deferred (postconf(5), milter_default_action). */
export const MILTER_FAILED = "Service unavailable - try again later";

/** Postfix's replies while the server has no mailbox, and to mail for a domain that left the settings. */
export const NO_MAILBOXES = "No mailboxes here yet, try again later";
export const DOMAIN_LEFT = "Mail for this domain is not accepted now, try again later";

/** What the client sent as its name: anything but the bracket that ends it. */
const HELO = "<[^>]{0,1024}>";

/** Refusals by Postfix's own rules. The guard's decisions are already recorded; its answers without one, such as `FULL`, have no event. */
const REFUSED_PATTERNS: LogPatterns = {
  relay_refused: refusal("relay_refused", "RCPT", "Relay access denied"),
  helo_refused: refusal("helo_refused", "(?:EHLO|HELO)", "Helo command rejected: (?!Improper use of SMTP)[^;]{1,200}", {
    about: HELO,
  }),
  sender_refused: refusal(
    "sender_refused",
    "MAIL",
    `Sender address rejected: (?:need fully-qualified address|not owned by user (?<owner>[^;]{0,320})|not logged in|Access denied|Address too long|${NULL_SENDER_REFUSED})`,
  ),
  recipient_malformed: refusal(
    "malformed_command",
    "RCPT",
    "Recipient address rejected: (?:need fully-qualified address|Address too long)",
  ),
  // On port 25 the guard decides first. A recipient that Postgrey delayed and Postfix then refuses has no event.
  recipient_unknown: {
    port25: false,
    ...refusal("recipient_unknown", "RCPT", "Recipient address rejected: User unknown"),
  },
  pipelining_refused: refusal(
    "pipelining",
    STATE,
    "(?:Helo command|Client host|Data command) rejected: Improper use of SMTP command pipelining",
    { about: HELO },
  ),
  too_large: refusal("too_large", "MAIL", "Message size exceeds fixed limit"),
  mailbox_full: refusal("mailbox_full", "RCPT", `Recipient address rejected: ${MAILBOX_FULL}`),
  // A milter that is dead at CONNECT defers each MAIL, so that the guard is not asked.
  filter_deferred: refusal("filter_deferred", "MAIL", MILTER_FAILED, { by: "milter-reject" }),
  postfix_deferred: refusal(
    "postfix_deferred",
    "(?:MAIL|RCPT)",
    `(?:Temporary lookup failure|Insufficient system storage|Recipient address rejected: (?:${NO_MAILBOXES}|${DOMAIN_LEFT}))`,
  ),
};

/** `QUEUEID: reject: STATE from CLIENT: CODE <what it was about>: REPLY; from=…` (smtpd(8), log_whatsup). */
function refusal(reports: ClientFault, state: string, reply: string, { about = PATH, by = "reject" } = {}): LogPattern {
  const code = "[45]\\d\\d [45]\\.\\d{1,3}\\.\\d{1,3}";
  return seen(
    reports,
    `^\\w{1,23}: ${by}: ${state} from ${CLIENT}: ${code} (?<detail>(?:${about}: )?${reply}); (?:from=<(?<sender>${IN_PATH})> )?(?:to=<(?<recipient>${IN_PATH})> )?`,
  );
}

/** The end of a line of a login process: after the typed name, a stranger chooses nothing. */
const BEHIND_LOGIN =
  "rip=(?<ip>[0-9a-f.:]{2,45}), lip=[0-9a-f.:]{2,45}(?:, mpid=\\d{1,9})?(?:, [^<>]{0,400})?, session=<[^<>]{0,60}>$";

const DOVECOT_PATTERNS: LogPatterns = {
  tls_failed_imap: seen(
    "tls_failed",
    `^Disconnected: Connection closed: (?<detail>SSL_accept\\(\\) failed: [^()]{1,200}) ` +
      // Dovecot writes the second text while it is busy (client-common.c of its login-common).
      `\\((?:no auth attempts in|disconnected before auth was ready, waited) \\d{1,9} secs\\): user=<>, ${BEHIND_LOGIN}`,
  ),
  login_failed_imap: seen(
    "login_failed",
    `^(?:Disconnected|Aborted login|Remote closed connection)[^<>]{0,200}\\(auth failed, (?<tries>\\d{1,9}) attempts ` +
      `in \\d{1,9} secs\\): user=<(?<login>.*)>, (?:method=[A-Z0-9-]{1,20}, )?${BEHIND_LOGIN}`,
  ),
};

/** By the program that writes the line. */
export const LOG_PATTERNS: ReadonlyMap<string, LogPatterns> = new Map([
  ["postfix/smtpd", { ...SESSION_PATTERNS, ...REFUSED_PATTERNS }],
  ["dovecot/imap-login", DOVECOT_PATTERNS],
]);
