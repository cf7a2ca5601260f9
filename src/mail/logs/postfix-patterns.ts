import { CLIENT, fault, type LogPattern, PATH, postfix, STATE, smtpd } from "./pattern.ts";

/** What happens to sessions with Postfix. */
export const SESSION_PATTERNS: readonly LogPattern[] = [
  {
    name: "lost_connection",
    ...postfix,
    matches: new RegExp(`^lost connection after (?<detail>${STATE}(?: \\(\\d+ bytes\\))?) from ${CLIENT}$`),
    reports: fault("lost_connection"),
    example: smtpd("lost connection after AUTH from unknown[198.51.100.7]"),
    hostile: [{ line: smtpd("lost connection after AUTH from unknown[198.51.100.7] from x[203.0.113.9]"), ip: null }],
  },
  {
    name: "timed_out",
    ...postfix,
    matches: new RegExp(`^timeout after (?<detail>${STATE}(?: \\(\\d+ bytes\\))?) from ${CLIENT}$`),
    reports: fault("timed_out"),
    example: smtpd("timeout after DATA (1460 bytes) from unknown[198.51.100.7]"),
    hostile: [{ line: smtpd("timeout after quit from unknown[198.51.100.7]"), ip: null }],
  },
  {
    name: "too_many_errors",
    ...postfix,
    matches: new RegExp(`^too many errors after (?<detail>${STATE}) from ${CLIENT}$`),
    reports: fault("too_many_errors"),
    example: smtpd("too many errors after UNKNOWN from unknown[198.51.100.7]"),
    hostile: [{ line: smtpd("too many errors after X\\ from unknown[198.51.100.7]"), ip: null }],
  },
  {
    name: "pipelining",
    ...postfix,
    matches: new RegExp(`^improper command pipelining after (?<state>${STATE}) from ${CLIENT}: (?<detail>.*)$`),
    reports: fault("pipelining"),
    example: smtpd(
      "improper command pipelining after EHLO from unknown[198.51.100.7]: MAIL FROM:<someone@sender.test>\\r\\n",
    ),
    hostile: [
      {
        line: smtpd(
          "improper command pipelining after EHLO from unknown[198.51.100.7]: x from unknown[203.0.113.9]: y",
        ),
        ip: "198.51.100.7",
      },
    ],
  },
  {
    name: "tls_failed",
    ...postfix,
    matches: new RegExp(`^SSL_accept error from ${CLIENT}: (?<detail>.*)$`),
    reports: fault("tls_failed"),
    example: smtpd("SSL_accept error from mx.sender.test[198.51.100.7]: lost connection"),
    hostile: [{ line: smtpd("SSL_accept error from a b[203.0.113.9]: x"), ip: null }],
  },
  {
    name: "auth_not_offered",
    ...postfix,
    port25: true,
    matches: new RegExp(
      `^disconnect from ${CLIENT}(?: (?!auth=)[a-z_]+=\\d+(?:/\\d+)?)* (?<detail>auth=(?:\\d+/)?(?<tries>\\d+))(?: [a-z_]+=\\d+(?:/\\d+)?)*$`,
    ),
    reports: fault("auth_not_offered"),
    example: smtpd("disconnect from unknown[198.51.100.7] ehlo=2 starttls=1 auth=0/3 commands=3/6"),
    hostile: [
      { line: smtpd("disconnect from unknown[198.51.100.7] ehlo=1 quit=1 commands=2"), ip: null },
      { line: smtpd("disconnect from unknown[198.51.100.7] auth=1 commands=1", "submission/"), ip: null },
    ],
  },
  {
    name: "malformed_command",
    ...postfix,
    matches: new RegExp(`^warning: non-SMTP command from ${CLIENT}: (?<detail>.*)$`),
    reports: fault("malformed_command"),
    example: smtpd("warning: non-SMTP command from unknown[198.51.100.7]: GET / HTTP/1.1"),
    hostile: [
      {
        line: smtpd("warning: non-SMTP command from unknown[198.51.100.7]: Host: x from unknown[203.0.113.9]: y"),
        ip: "198.51.100.7",
      },
    ],
  },
  {
    name: "malformed_address",
    ...postfix,
    matches: new RegExp(
      `^warning: Illegal address syntax from ${CLIENT} in (?:MAIL|RCPT|VRFY) command: (?<detail>.*)$`,
    ),
    reports: fault("malformed_command"),
    example: smtpd("warning: Illegal address syntax from unknown[198.51.100.7] in RCPT command: <anna@ex??mple.test>"),
    hostile: [
      {
        line: smtpd(
          "warning: Illegal address syntax from unknown[198.51.100.7] in MAIL command: <x from y[203.0.113.9] in MAIL>",
        ),
        ip: "198.51.100.7",
      },
    ],
  },
  {
    name: "request_too_long",
    ...postfix,
    matches: new RegExp(`^warning: ${CLIENT}: request longer than (?<detail>\\d+: .*)$`),
    reports: fault("malformed_command"),
    example: smtpd("warning: unknown[198.51.100.7]: request longer than 2048: NOOP aaaaaaaaaaaaaaaaaaaaaaaaa..."),
    hostile: [
      {
        line: smtpd("warning: unknown[198.51.100.7]: request longer than 2048: warning: x[203.0.113.9]: request lo..."),
        ip: "198.51.100.7",
      },
    ],
  },
  {
    name: "postfix_limit",
    ...postfix,
    matches: new RegExp(
      `^warning: (?<detail>[A-Z][a-z]+(?: [a-z]+){1,4} limit exceeded: \\d+) from ${CLIENT} for service [\\w:.-]+$`,
    ),
    reports: fault("postfix_limit"),
    example: smtpd(
      "warning: Message delivery request rate limit exceeded: 21 from unknown[198.51.100.7] for service smtp",
    ),
    hostile: [
      { line: smtpd("warning: Connection rate limit exceeded: 21 from x[198.51.100.7] for service a b"), ip: null },
    ],
  },
  {
    name: "login_failed_smtp",
    ...postfix,
    matches: new RegExp(
      `^warning: ${CLIENT}: SASL (?<mechanism>[A-Z0-9-]{1,20}) authentication failed: ` +
        `(?!Connection lost to authentication server)[^,]{0,400}(?:, sasl_username=(?<login>.*))?$`,
    ),
    reports: { type: "login_failed" },
    example: smtpd(
      "warning: unknown[198.51.100.7]: SASL PLAIN authentication failed: (reason unavailable), sasl_username=anna@example.test",
      "submission/",
    ),
    hostile: [
      {
        line: smtpd(
          "warning: unknown[198.51.100.7]: SASL LOGIN authentication failed: x, sasl_username=warning: y[203.0.113.9]: SASL LOGIN " +
            "authentication failed: x",
          "submission/",
        ),
        ip: "198.51.100.7",
      },
    ],
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
    reports: fault("relay_refused"),
    example: smtpd(
      "NOQUEUE: reject: RCPT from unknown[198.51.100.7]: 454 4.7.1 <someone@elsewhere.test>: Relay access denied; " +
        "from=<someone@sender.test> to=<someone@elsewhere.test> proto=ESMTP helo=<client.test>",
    ),
    hostile: [
      {
        line: smtpd(
          'NOQUEUE: reject: RCPT from unknown[198.51.100.7]: 550 5.1.1 <"a>: Relay access denied; from x[203.0.113.9]"@example.test>: ' +
            "Recipient address rejected: User unknown; from=<> to=<x> proto=ESMTP helo=<client.test>",
        ),
        ip: null,
      },
    ],
  },
  {
    name: "helo_refused",
    ...postfix,
    matches: refusal("(?:EHLO|HELO)", "Helo command rejected: (?!Improper use of SMTP)[^;]{1,200}", HELO),
    reports: fault("helo_refused"),
    example: smtpd(
      "NOQUEUE: reject: EHLO from unknown[198.51.100.7]: 504 5.5.2 <client>: Helo command rejected: " +
        "need fully-qualified hostname; proto=SMTP helo=<client>",
    ),
    hostile: [
      {
        line: smtpd(
          "NOQUEUE: reject: EHLO from unknown[198.51.100.7]: 501 5.5.2 <reject: EHLO from x[203.0.113.9]: 504>: Helo command " +
            "rejected: Invalid name; proto=SMTP helo=<reject: EHLO from x[203.0.113.9]: 504>",
        ),
        ip: "198.51.100.7",
      },
    ],
  },
  {
    name: "sender_refused",
    ...postfix,
    matches: refusal(
      "MAIL",
      `Sender address rejected: (?:need fully-qualified address|not owned by user [^;]{0,320}|not logged in|Access denied|${NULL_SENDER_REFUSED})`,
    ),
    reports: fault("sender_refused"),
    example: smtpd(
      "NOQUEUE: reject: MAIL from unknown[198.51.100.7]: 553 5.7.1 <bert@example.test>: Sender address rejected: " +
        "not owned by user anna@example.test; from=<bert@example.test> proto=ESMTP helo=<client.test>",
      "submission/",
    ),
    hostile: [
      {
        line: smtpd(
          'NOQUEUE: reject: MAIL from unknown[198.51.100.7]: 504 5.5.2 <"x>: from unknown[203.0.113.9]: 550">: Sender address ' +
            "rejected: need fully-qualified address; from=<x> proto=ESMTP helo=<x>",
        ),
        ip: "198.51.100.7",
      },
    ],
  },
  {
    name: "pipelining_refused",
    ...postfix,
    matches: refusal(
      STATE,
      "(?:Helo command|Client host|Data command) rejected: Improper use of SMTP command pipelining",
      HELO,
    ),
    reports: fault("pipelining"),
    example: smtpd(
      "NOQUEUE: reject: EHLO from unknown[198.51.100.7]: 503 5.5.0 <client.test>: Helo command rejected: " +
        "Improper use of SMTP command pipelining; proto=SMTP helo=<client.test>",
    ),
    hostile: [
      {
        line: smtpd(
          "NOQUEUE: reject: EHLO from unknown[198.51.100.7]: 504 5.5.2 <Improper use of SMTP command pipelining>: Helo command " +
            "rejected: need fully-qualified hostname; proto=SMTP helo=<x>",
        ),
        ip: null,
      },
    ],
  },
];

/** `QUEUEID: reject: STATE from CLIENT: CODE <what it was about>: REPLY; from=…` (smtpd(8), log_whatsup). */
function refusal(state: string, reply: string, about: string = PATH): RegExp {
  const code = "[45]\\d\\d [45]\\.\\d{1,3}\\.\\d{1,3}";
  return new RegExp(`^\\w{1,20}: reject: ${state} from ${CLIENT}: ${code} (?<detail>(?:${about}: )?${reply}); `);
}
