import assert from "node:assert/strict";
import { Resolver } from "node:dns/promises";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { checkedServer } from "../../../../test/kit/checked-server.ts";
import { mailCertificate } from "../../../../test/kit/own-certificate.ts";
import { type Speech, speaker } from "../../../../test/kit/speaker.ts";
import { temporaryDirectory } from "../../../../test/kit/temporary-directory.ts";
import { zoneServer } from "../../../../test/kit/zone-server.ts";
import { signInAtRelay } from "./reputation.ts";

const directory = temporaryDirectory();
const files = mailCertificate({ directory });
const PLAIN = `AUTH PLAIN ${Buffer.from("\0me\0right words").toString("base64")}`;
const OFFERS = [/^EHLO/, "250-relay\r\n250-STARTTLS\r\n250 AUTH LOGIN PLAIN\r\n"] as const;
const TAKES = [/^AUTH PLAIN /, "235 2.7.0 welcome\r\n"] as const;

test("the relay accepts a sign-in over verified TLS", async () => {
  const only = [new RegExp(`^${RegExp.escape(PLAIN)}$`), "235 2.7.0 welcome\r\n"] as const;
  assert.match(await atRelay({ answers: [OFFERS, only], tls: files }), /^ok: /);
});

test("a refused password is wrong, and the report omits it; a relay that cannot check it now is unknown", async () => {
  const repeats = [/^AUTH/, `535 5.7.8 no: ${PLAIN}\r\n`] as const;
  const refused = /^wrong: .* refuses the name or the password: it answers 535\.$/;
  assert.match(await atRelay({ answers: [OFFERS, repeats], tls: files }), refused);
  assert.match(await atRelay({ answers: [OFFERS, [/^AUTH/, "454 4.7.0 later\r\n"]], tls: files }), /^unknown: /);
});

test("sends no password without TLS, nor to a server with someone else's certificate or without a sign-in", async () => {
  const answers = [OFFERS, TAKES];
  const offersNone = [/^EHLO/, "250-relay\r\n250 STARTTLS\r\n"] as const;
  assert.match(await atRelay({ answers: [offersNone, TAKES], tls: files }), /^wrong: .*: it offers no sign-in\.$/);
  assert.match(await atRelay({ answers }), /^wrong: .*it offers no TLS/);
  const others = await atRelay({ answers, tls: files }, { name: "smtp.other.example" });
  assert.match(others, /^wrong: .*(?:does not match|altnames)/i);
  assert.match(await atRelay({ answers, tls: mailCertificate() }), /^wrong: .*self.signed/);
});

test("an unreachable relay or one that accepts no mail for now may be restarting; one that refuses us is wrong", async () => {
  const tls = files;
  assert.match(await atRelay({ tls }, { isClosed: true }), /^unknown: .*ECONNREFUSED/);
  assert.match(await atRelay({ tls }, { name: "no.example" }), /^wrong: .*its name has no address/);
  assert.match(await atRelay({ greeting: "421 4.3.2 shutting down\r\n", tls }), /^unknown: .* answers 421/);
  const noTlsNow = [/^STARTTLS$/, "454 4.7.0 TLS not available\r\n"] as const;
  assert.match(await atRelay({ answers: [noTlsNow] }), /^unknown: .* answers 454/);
  assert.match(await atRelay({ greeting: "554 5.7.1 not you\r\n", tls }), /^wrong: .*it answers 554/);
});

test("a missing password is wrong", async () => {
  assert.match(await atRelay({ tls: files }, { password: "/nonexistent" }), /^wrong: .*does not exist/);
});

/** What the check finds, after its state. */
async function atRelay(
  speech: Speech,
  { name = "mail.example.org", password = "", isClosed = false } = {},
): Promise<string> {
  const port = isClosed ? 1 : await speaker(speech);
  const file = join(directory, "relay-password");
  writeFileSync(file, "right words\n");
  const { settings } = checkedServer({
    settings: {
      "outbound.relay": `[${name}]:${port}`,
      "outbound.relay_user": "me",
      "outbound.relay_password_file": password === "" ? file : password,
      "outbound.relay_ca": join(directory, "cert.pem"),
    },
  });
  const zone = ["mail.example.org", "smtp.other.example"].map(
    (host) => ({ name: host, type: "A", value: "127.0.0.1" }) as const,
  );
  const resolver = new Resolver();
  resolver.setServers([await zoneServer(zone)]);
  const { state, saw } = await signInAtRelay(settings, resolver);
  return `${state}: ${saw}`;
}
