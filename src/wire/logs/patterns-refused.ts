import { CLIENT, fault, type LogPattern, PATH, postfix, STATE, smtpd } from "./pattern.ts";

/** What the client sent instead of a name: anything but the bracket that ends it. */
const HELO = "<[^>]{0,1024}>";

/** What Postfix refuses by its own rules. The guard has already recorded the refusals that it ordered. */
export const REFUSED_PATTERNS: readonly LogPattern[] = [
  {
    name: "relay_refused",
    ...postfix,
    matches: refusal("RCPT", "Relay access denied"),
    tells: fault("relay_refused"),
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
    tells: fault("helo_refused"),
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
      "Sender address rejected: (?:need fully-qualified address|not owned by user [^;]{0,320}|not logged in|Access denied|Name an address of your own as the sender)",
    ),
    tells: fault("sender_refused"),
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
    tells: fault("pipelining"),
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
