/** Evidence by the name of a test. */
export type Findings = Readonly<Record<string, RegExp>>;
/** Every fault of `startBad`. */
export const AT_BAD: Findings = {
  "ports that should be closed": /^open: 143 3306$/,
  "25: greeting tells no version": /Postfix 3\.\d/,
  "25: no password without TLS": /250[- ]AUTH PLAIN/,
  "587: no password without TLS": /250[- ]AUTH PLAIN/,
  "25: VRFY tells nothing": /^252 .*; of one who does not exist: 550 /,
  "25: relays not to relay-test@example.com": /^250 /,
  "25: relays not from relay-test@example.com": /^250 /,
  "25: no SMTP smuggling": /ends with \\n\.\\n: 5.*too many hops/i,
  "587: STARTTLS takes no injection": /250 ok +221/,
  "587: test:wrong may not sign in": /^235 /,
  "465: test:wrong may not sign in": /^235 /,
  "465: no mail without a password": /^250 /,
  "993: test:wrong may not sign in": /signed in/,
  "25: TLS 1.2 and 1.3 only": /TLS 1\.0 TLS 1\.1/,
  "993: TLS 1.2 and 1.3 only": /TLS 1\.0 TLS 1\.1/,
  "465: no weak cipher": /ADH-AES128-SHA/,
  "25: certificate": /expired/,
  "993: certificate": /names DNS:other\.test and not bad\.test/,
};
/** Evidence at a server with a faulty program: see `startWorse`. */
export const AT_WORSE: Findings = {
  "25: greeting tells no version": /Oldmail 2\.5\.1/,
  "587: greeting tells no version": /Oldmail 2\.5\.1/,
  "25: VRFY tells nothing": /^250 ok$/,
  "25: EXPN tells nothing": /^250 ok$/,
  "25: no password without TLS": /250-AUTH PLAIN$/,
  "587: no password without TLS": /^STARTTLS is not offered$/,
  "25: STARTTLS takes no injection": /250 ok +221/,
  "587: no mail without a password": /^250 /,
  "465: test:wrong may not sign in": /^235 /,
  "465: certificate": /^not valid before /,
  "25: no SMTP smuggling": /ends with \\r\.\\r: 250 taken/,
};
