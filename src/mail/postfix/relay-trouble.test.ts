import assert from "node:assert/strict";
import { test } from "node:test";
import { relayTrouble as read } from "./relay-trouble.ts";

const AT = "smtp.relay.example[198.51.100.91]";
const AT_IPV6 = "smtp.relay.example[2001:db8::1]";
const relayTrouble = (reason: string) => read(reason, "[smtp.relay.example]:587");

const LOGIN = "SASL authentication failed; ";
const UNTRUSTED = "its certificate is for another name, or not from a trusted authority";
const BROKEN: readonly (readonly [text: string, says: string, isNamed?: boolean])[] = [
  [`${LOGIN}server ${AT} said: 535 5.7.8 wrong: secret`, "it refuses the name or the password (535 5.7.8)"],
  [`${LOGIN}server ${AT} said: 454 4.7.0 later`, "it accepts no sign-in (454 4.7.0)"],
  [`${LOGIN}cannot authenticate to server ${AT}: no mechanism available`, "it offers no supported way to sign in"],
  ["Server certificate not trusted", UNTRUSTED, false],
  ["Server certificate not verified", UNTRUSTED, false],
  [`TLS is required, but was not offered by host ${AT}`, "it offers no TLS"],
  ["Cannot start TLS: handshake failure", "TLS with it fails", false],
];
for (const [text, says, isNamed = true] of BROKEN)
  test(`the relay's answer to every mail is recognized, with its code and without its words: ${text}`, () => {
    assert.deepEqual(relayTrouble(text), { heals: false, says, isNamed });
    assert.deepEqual(relayTrouble(`delivery temporarily suspended: ${text}`), relayTrouble(text));
  });

const UNKNOWN = "Host or domain name not found. Name service error for name";
const ENDS = "it ends the session early";
const DEFERS = "it accepts no mail for now (451 4.7.0)";
for (const [text, says] of [
  [`connect to ${AT}:587: Connection refused`, "it cannot be reached (Connection refused)"],
  [`connect to ${AT_IPV6}:587: Network is unreachable`, "it cannot be reached (Network is unreachable)"],
  [`${UNKNOWN}=smtp.relay.example type=A: Host not found`, "its name has no address"],
  [`lost connection with ${AT} while receiving the initial server greeting`, ENDS],
  [`conversation with ${AT} timed out while performing the EHLO handshake`, ENDS],
  // Before any recipient: it defers all mail.
  [`host ${AT} said: 451 4.7.0 sending limit of secret reached (in reply to MAIL FROM command)`, DEFERS],
  [`host ${AT} refused to talk to me: 451 4.7.0 secret`, DEFERS],
  [`host ${AT} refused to talk to me: 554 secret`, "it accepts no mail for now (554)"],
  [`delivery temporarily suspended: host ${AT} said: 451 4.7.0 busy (in reply to EHLO command)`, DEFERS],
] as const)
  test(`a relay that cannot be reached or defers all mail is recognized: ${text}`, () =>
    assert.deepEqual(relayTrouble(text), { heals: true, says, isNamed: true }));

test("replies of servers from before the relay was set are not about it", () => {
  for (const text of [
    "connect to mx.example.net[203.0.113.1]:25: Connection timed out",
    `connect to ${AT}:25: Connection timed out`,
    `${UNKNOWN}=typo.example type=MX: Host not found, try again`,
    "lost connection with mx.example.net[203.0.113.1] while sending RCPT TO",
    "conversation with mx.example.net[203.0.113.1] timed out while sending MAIL FROM",
    "SASL authentication failed; server other.example[203.0.113.1] said: 535 no",
    "TLS is required, but was not offered by host mx.example.net[203.0.113.1]",
    "host mx.example.net[203.0.113.1] refused to talk to me: 421 busy",
    "host mx.example.net[203.0.113.1] said: 451 later (in reply to MAIL FROM command)",
  ])
    assert.equal(relayTrouble(text), null, text);
  const byAddress = "connect to 2001:db8::1[2001:db8::1]:465: Connection refused";
  assert.equal(read(byAddress, "[2001:db8::1]:465")?.heals, true);
});

test("an answer about one mail, or from our own Dovecot, is not trouble of the relay", () => {
  for (const text of [
    `host ${AT} said: 451 4.7.1 greylisted (in reply to RCPT TO command)`,
    `host ${AT} said: 450 SASL authentication failed (in reply to RCPT TO command)`,
    "connect to mail.example.org[private/dovecot-lmtp]: Connection refused",
    "mail transport unavailable",
    "",
  ])
    assert.equal(relayTrouble(text), null, text);
});
