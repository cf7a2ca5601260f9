import assert from "node:assert/strict";
import { Resolver } from "node:dns/promises";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { checkedServer } from "../../../../test/kit/checked-server.ts";
import { type Speech, selfSigned, speaker } from "../../../../test/kit/speaker.ts";
import { zoneServer } from "../../../../test/kit/zone-server.ts";
import type { Finding } from "./finding.ts";
import { signInAtRelay } from "./reputation.ts";

const files = await selfSigned();
const PLAIN = `AUTH PLAIN ${Buffer.from("\0me\0right words").toString("base64")}`;
const OFFERS = [/^EHLO/, "250-relay\r\n250-STARTTLS\r\n250 AUTH LOGIN PLAIN\r\n"] as const;
const TAKES = [/^AUTH PLAIN /, "235 2.7.0 welcome\r\n"] as const;

test("the relay accepts a sign-in over verified TLS", async () => {
  const only = [new RegExp(`^${RegExp.escape(PLAIN)}$`), "235 2.7.0 welcome\r\n"] as const;
  const found = await atRelay({ answers: [OFFERS, only], tls: files });
  assert.equal(found.state, "ok", found.saw);
});

test("uses AUTH LOGIN if the relay offers nothing better", async () => {
  const answers = [
    [/^EHLO/, "250-relay\r\n250 AUTH LOGIN\r\n"],
    [/^AUTH LOGIN$/, "334 VXNlcm5hbWU6\r\n"],
    [/^bWU=$/, "334 UGFzc3dvcmQ6\r\n"],
    [/^cmlnaHQgd29yZHM=$/, "235 2.7.0 welcome\r\n"],
  ] as const;
  assert.equal((await atRelay({ answers, tls: files })).state, "ok");
});

test("sends nothing that AUTH LOGIN does not ask for", async () => {
  const offers = [/^EHLO/, "250-relay\r\n250 AUTH LOGIN\r\n"] as const;
  // The relay would accept the other lines.
  const all = [/^(?:bWU=|cmlnaHQ)/, "235 2.7.0 welcome\r\n"] as const;
  const refused = await atRelay({ answers: [offers, [/^AUTH LOGIN$/, "504 5.5.4 not this one\r\n"], all], tls: files });
  assert.deepEqual([refused.state, /answers 504/.test(refused.saw)], ["wrong", true], refused.saw);
  const asks = [/^AUTH LOGIN$/, "334 VXNlcm5hbWU6\r\n"] as const;
  const unknown = await atRelay({ answers: [offers, asks, [/^bWU=$/, "535 5.7.8 no\r\n"], all], tls: files });
  assert.match(unknown.saw, /answers 535/);
});

test("a refused password is wrong, and the report omits what was sent; a relay that cannot say is unknown", async () => {
  const repeats = [/^AUTH/, `535 5.7.8 no: ${PLAIN}\r\n`] as const;
  const found = await atRelay({ answers: [OFFERS, repeats], tls: files });
  assert.equal(found.state, "wrong");
  assert.match(found.saw, /refuses the name or the password: it answers 535\./);
  const later = await atRelay({ answers: [OFFERS, [/^AUTH/, "454 4.7.0 later\r\n"]], tls: files });
  assert.equal(later.state, "unknown");
});

test("sends no password without TLS, nor to a server with someone else's certificate", async () => {
  const plain = await atRelay({ answers: [OFFERS, TAKES] });
  assert.deepEqual([plain.state, /it offers no TLS/.test(plain.saw)], ["wrong", true], plain.saw);
  const others = await atRelay({ answers: [OFFERS, TAKES], tls: files }, { name: "smtp.other.example" });
  assert.deepEqual([others.state, /does not match|altnames/i.test(others.saw)], ["wrong", true], others.saw);
  const unknown = await atRelay({ answers: [OFFERS, TAKES], tls: await selfSigned() });
  assert.deepEqual([unknown.state, /self.signed/.test(unknown.saw)], ["wrong", true], unknown.saw);
});

test("a relay that cannot be reached or accepts no mail for now may be restarting; one that refuses us is wrong", async () => {
  const closed = await atRelay({ tls: files }, { isClosed: true });
  assert.deepEqual([closed.state, /ECONNREFUSED/.test(closed.saw)], ["unknown", true], closed.saw);
  const gone = await atRelay({ tls: files }, { name: "no.example" });
  assert.deepEqual([gone.state, /its name has no address/.test(gone.saw)], ["wrong", true], gone.saw);
  const busy = await atRelay({ greeting: "421 4.3.2 shutting down\r\n", tls: files });
  assert.deepEqual([busy.state, /answers 421/.test(busy.saw)], ["unknown", true], busy.saw);
  const noTlsNow = await atRelay({ answers: [[/^STARTTLS$/, "454 4.7.0 TLS not available\r\n"]] });
  assert.deepEqual([noTlsNow.state, /answers 454/.test(noTlsNow.saw)], ["unknown", true], noTlsNow.saw);
  const refuses = await atRelay({ greeting: "554 5.7.1 not you\r\n", tls: files });
  assert.deepEqual([refuses.state, /it answers 554/.test(refuses.saw)], ["wrong", true], refuses.saw);
});

test("a missing password is wrong", async () => {
  const missing = await atRelay({ tls: files }, { password: "/nonexistent" });
  assert.deepEqual([missing.state, /does not exist/.test(missing.saw)], ["wrong", true], missing.saw);
});

async function atRelay(
  speech: Speech,
  { name = "mail.example.org", password = "", isClosed = false } = {},
): Promise<Finding> {
  const port = isClosed ? 1 : await speaker(speech);
  const file = join(files.directory, "relay-password");
  writeFileSync(file, "right words\n");
  const { settings } = checkedServer({
    settings: {
      "outbound.relay": `[${name}]:${port}`,
      "outbound.relay_user": "me",
      "outbound.relay_password_file": password === "" ? file : password,
      "outbound.relay_ca": join(files.directory, "cert.pem"),
    },
  });
  const zone = ["mail.example.org", "smtp.other.example"].map(
    (host) => ({ name: host, type: "A", value: "127.0.0.1" }) as const,
  );
  const resolver = new Resolver();
  resolver.setServers([await zoneServer(zone)]);
  return signInAtRelay(settings, resolver);
}
