import { CLIENT, type LogPattern, PATH, postfix, STATE } from "./pattern.ts";

/** What happens to sessions with Postfix. */
export const SESSION_PATTERNS: readonly LogPattern[] = [
  {
    name: "lost_connection",
    ...postfix,
    matches: new RegExp(`^lost connection after (?<detail>${STATE}(?: \\(\\d+ bytes\\))?) from ${CLIENT}$`),
    reports: "lost_connection",
  },
  {
    name: "timed_out",
    ...postfix,
    matches: new RegExp(`^timeout after (?<detail>${STATE}(?: \\(\\d+ bytes\\))?) from ${CLIENT}$`),
    reports: "timed_out",
  },
  {
    name: "too_many_errors",
    ...postfix,
    matches: new RegExp(`^too many errors after (?<detail>${STATE}) from ${CLIENT}$`),
    reports: "too_many_errors",
  },
  {
    name: "pipelining",
    ...postfix,
    matches: new RegExp(`^improper command pipelining after (?<state>${STATE}) from ${CLIENT}: (?<detail>.*)$`),
    reports: "pipelining",
  },
  {
    name: "tls_failed",
    ...postfix,
    matches: new RegExp(`^SSL_accept error from ${CLIENT}: (?<detail>.*)$`),
    reports: "tls_failed",
  },
  {
    name: "auth_not_offered",
    ...postfix,
    port25: true,
    matches: new RegExp(
      `^disconnect from ${CLIENT}(?: (?!auth=)[a-z_]+=\\d+(?:/\\d+)?)* (?<detail>auth=(?:\\d+/)?(?<tries>\\d+))(?: [a-z_]+=\\d+(?:/\\d+)?)*$`,
    ),
    reports: "auth_not_offered",
  },
  {
    name: "malformed_command",
    ...postfix,
    matches: new RegExp(`^warning: non-SMTP command from ${CLIENT}: (?<detail>.*)$`),
    reports: "malformed_command",
  },
  {
    name: "malformed_address",
    ...postfix,
    matches: new RegExp(
      `^warning: Illegal address syntax from ${CLIENT} in (?:MAIL|RCPT|VRFY) command: (?<detail>.*)$`,
    ),
    reports: "malformed_command",
  },
  {
    name: "request_too_long",
    ...postfix,
    matches: new RegExp(`^warning: ${CLIENT}: request longer than (?<detail>\\d+: .*)$`),
    reports: "malformed_command",
  },
  {
    name: "postfix_limit",
    ...postfix,
    matches: new RegExp(
      `^warning: (?<detail>[A-Z][a-z]+(?: [a-z]+){1,4} limit exceeded: \\d+) from ${CLIENT} for service [\\w:.-]+$`,
    ),
    reports: "postfix_limit",
  },
  {
    name: "login_failed_smtp",
    ...postfix,
    matches: new RegExp(
      `^warning: ${CLIENT}: SASL (?<mechanism>[A-Z0-9-]{1,20}) authentication failed: ` +
        `(?!Connection lost to authentication server)[^,]{0,400}(?:, sasl_username=(?<login>.*))?$`,
    ),
    reports: "login_failed",
  },
];

/** Postfix's reply to an account that names no sender. */
export const NULL_SENDER_REFUSED = "Use one of your own addresses as the sender";

/** What the client sent instead of a name: anything but the bracket that ends it. */
const HELO = "<[^>]{0,1024}>";

/** What Postfix refuses by its own rules. The guard has already recorded the refusals that it ordered. */
export const REFUSED_PATTERNS: readonly LogPattern[] = [
  {
    name: "relay_refused",
    ...postfix,
    matches: refusal("RCPT", "Relay access denied"),
    reports: "relay_refused",
  },
  {
    name: "helo_refused",
    ...postfix,
    matches: refusal("(?:EHLO|HELO)", "Helo command rejected: (?!Improper use of SMTP)[^;]{1,200}", HELO),
    reports: "helo_refused",
  },
  {
    name: "sender_refused",
    ...postfix,
    matches: refusal(
      "MAIL",
      `Sender address rejected: (?:need fully-qualified address|not owned by user [^;]{0,320}|not logged in|Access denied|${NULL_SENDER_REFUSED})`,
    ),
    reports: "sender_refused",
  },
  {
    name: "pipelining_refused",
    ...postfix,
    matches: refusal(
      STATE,
      "(?:Helo command|Client host|Data command) rejected: Improper use of SMTP command pipelining",
      HELO,
    ),
    reports: "pipelining",
  },
];

/** `QUEUEID: reject: STATE from CLIENT: CODE <what it was about>: REPLY; from=…` (smtpd(8), log_whatsup). */
function refusal(state: string, reply: string, about: string = PATH): RegExp {
  const code = "[45]\\d\\d [45]\\.\\d{1,3}\\.\\d{1,3}";
  return new RegExp(`^\\w{1,20}: reject: ${state} from ${CLIENT}: ${code} (?<detail>(?:${about}: )?${reply}); `);
}
