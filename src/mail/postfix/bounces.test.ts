import assert from "node:assert/strict";
import { test } from "node:test";
import { installed } from "../../../test/kit/needs.ts";
import { headerActions } from "../../../test/kit/postmap.ts";
import { RELAY, sampleSite } from "../../../test/kit/sample-site.ts";
import { renderBounceChecks } from "./bounces.ts";

const POSTMAP = installed("postmap");
const site = sampleSite({ domains: ["example.org", "example.net"], hostname: "mail.example.org" });
const relayed = sampleSite({ ...site, outbound: { ...site.outbound, relay: RELAY } });

/** Postfix's action for each of these headers. */
function actions(file: string, headers: readonly string[], of = site): readonly string[] {
  const table = renderBounceChecks(of).find(({ name }) => name === file) ?? assert.fail(file);
  return headerActions(table.text, `${headers.join("\n")}\n\n`);
}

test("reports to others are withheld, those to our own users are not", POSTMAP, () => {
  const others = ["a@other.test", '"x@example.org"@other.test', "a@example.org.other.test", "a@exampleXorg"];
  const to = (address: string): string => `To: ${address}`;
  const withheld = others.map(() => "FILTER discard:the sender of the mail is not proven");
  assert.deepEqual(actions("bounce-recipients", others.map(to)), withheld);
  const own = ["anna@example.org", "Anna+shop@EXAMPLE.net"];
  assert.deepEqual(actions("bounce-recipients", own.map(to)), ["DUNNO", "DUNNO"]);
});

test("the author of a report is at the server's name, which SPF proves unless a relay sends", POSTMAP, () => {
  const replaced = "REPLACE From: Mail Delivery System <MAILER-DAEMON@mail.example.org>";
  const from = ["From: Mail Delivery System <MAILER-DAEMON>"];
  assert.deepEqual(actions("bounce-recipients", from), [replaced]);
  assert.deepEqual(actions("bounce-recipients", from, relayed), []);
});

test("a sender that SPF proved gets a report", POSTMAP, () => {
  const proof = `X-GhostInbox-Proof: ${site.proofWord}`;
  assert.deepEqual(actions("bounce-proofs", [proof]), ["FILTER reports:"]);
  const results = (words: string): string => `Authentication-Results: mail.example.org;\n\tdkim=none;\n\t${words}`;
  const unproven = [
    results("spf=pass (x) smtp.mailfrom=a@b.test"),
    results('spf=fail smtp.mailfrom="a;\n\tspf=pass b@victim.test"'),
    `Subject: ${proof}`,
  ];
  assert.deepEqual(actions("bounce-proofs", unproven), []);
  const others = ["", "spf=pass", "8".repeat(32)].map((word) => `X-GhostInbox-Proof: ${word}`);
  assert.deepEqual(new Set(actions("bounce-proofs", others)), new Set(["IGNORE"]));
  assert.deepEqual(actions("bounce-proofs", [proof], relayed), ["FILTER reports:[smtp.example.net]:587"]);
});

test("a report shows the sender neither spam scores nor the tag", POSTMAP, () => {
  const status = "X-Spam-Status: No, score=4.9 required=5.0 tests=BAYES_99,\n\tDKIM_VALID autolearn=no";
  const findings = [status, "X-Spam-Level: ****", "X-GhostInbox-Verified: spf", "X-GhostInbox-Crowd: one"];
  assert.deepEqual(actions("bounce-proofs", findings), Array(4).fill("IGNORE"));
  assert.deepEqual(actions("bounce-proofs", ["Subject: [SPAM] Your invoice"]), ["REPLACE Subject: Your invoice"]);
  assert.deepEqual(actions("bounce-proofs", ["Subject: X-Spam-Level", "X-Spammer: no"]), []);
});

test("only Postfix's master can read the files with the secret word", () => {
  const files = renderBounceChecks(site);
  const holding = files.filter(({ text }) => text.includes(site.proofWord));
  const modes = Object.fromEntries(holding.map(({ name, mode }) => [name, mode]));
  assert.deepEqual(modes, { "bounce-proofs": 0o600, "proof-removal": 0o600 });
});
