import assert from "node:assert/strict";
import { test } from "node:test";
import { relayTrouble as read } from "./relay-trouble.ts";

const AT = "smtp.relay.example[198.51.100.91]";
const relayTrouble = (reason: string) => read(reason, "[smtp.relay.example]:587");

test("the relay's answer to every mail is recognized, with its code and without its words", () => {
  const refused = `SASL authentication failed; server ${AT} said: 535 5.7.8 wrong: secret`;
  assert.deepEqual(relayTrouble(refused), {
    heals: false,
    says: "it refuses the name or the password (535 5.7.8)",
    isNamed: true,
  });
  assert.deepEqual(relayTrouble(`delivery temporarily suspended: ${refused}`), relayTrouble(refused));
  assert.match(relayTrouble(`SASL authentication failed; server ${AT} said: 454 4.7.0 later`)?.says ?? "", /\(454 /);
  assert.equal(
    relayTrouble(`SASL authentication failed; cannot authenticate to server ${AT}: no mechanism available`)?.says,
    "it offers no supported way to sign in",
  );
  const untrusted = "its certificate does not have this name, or comes from no known authority";
  for (const [text, says] of [
    ["Server certificate not trusted", untrusted],
    ["Server certificate not verified", untrusted],
    [`TLS is required, but was not offered by host ${AT}`, "it offers no TLS"],
    ["Cannot start TLS: handshake failure", "TLS with it fails"],
  ] as const) {
    const found = relayTrouble(text);
    assert.deepEqual([found?.heals, found?.says], [false, says], text);
  }
  assert.equal(
    relayTrouble(`connect to ${AT}:587: Connection refused`)?.says,
    "it cannot be reached (Connection refused)",
  );
  for (const [text, says] of [
    ["connect to smtp.relay.example[2001:db8::1]:587: Network is unreachable", /^it cannot be reached/],
    [
      "Host or domain name not found. Name service error for name=smtp.relay.example type=A: Host not found",
      /no address$/,
    ],
    [`lost connection with ${AT} while receiving the initial server greeting`, /^it ends the session early$/],
    [`conversation with ${AT} timed out while performing the EHLO handshake`, /^it ends the session early$/],
  ] as const) {
    const found = relayTrouble(text);
    assert.equal(found?.heals, true, text);
    assert.match(found.says, says);
  }
});

test("a relay that defers all mail is recognized by a reply before any recipient", () => {
  for (const text of [
    `host ${AT} said: 451 4.7.0 sending limit of secret reached (in reply to MAIL FROM command)`,
    `host ${AT} refused to talk to me: 451 4.7.0 secret`,
    `delivery temporarily suspended: host ${AT} said: 451 4.7.0 busy (in reply to EHLO command)`,
  ])
    assert.deepEqual(relayTrouble(text), {
      heals: true,
      says: "it accepts no mail for now (451 4.7.0)",
      isNamed: true,
    });
});

test("replies of servers from before the relay was set are not about it; a reason without a name may be", () => {
  for (const text of [
    "connect to mx.example.net[203.0.113.1]:25: Connection timed out",
    `connect to ${AT}:25: Connection timed out`,
    "Host or domain name not found. Name service error for name=typo.example type=MX: Host not found, try again",
    "lost connection with mx.example.net[203.0.113.1] while sending RCPT TO",
    "conversation with mx.example.net[203.0.113.1] timed out while sending MAIL FROM",
    "SASL authentication failed; server other.example[203.0.113.1] said: 535 no",
    "TLS is required, but was not offered by host mx.example.net[203.0.113.1]",
    "host mx.example.net[203.0.113.1] refused to talk to me: 421 busy",
    "host mx.example.net[203.0.113.1] said: 451 later (in reply to MAIL FROM command)",
  ])
    assert.equal(relayTrouble(text), null, text);
  assert.equal(relayTrouble("Server certificate not trusted")?.isNamed, false);
  assert.equal(relayTrouble("Cannot start TLS: handshake failure")?.isNamed, false);
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
