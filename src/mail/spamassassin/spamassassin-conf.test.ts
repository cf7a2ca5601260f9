import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleSite, senders } from "../../../test/kit/sample-site.ts";
import { renderSpamAssassin, renderUpdateRules } from "./spamassassin-conf.ts";

const { spam } = sampleSite();

function localCf(changes: Partial<typeof spam> = {}): string {
  const files = renderSpamAssassin(sampleSite({ spam: { ...spam, ...changes } }));
  return files.find(({ name }) => name === "local.cf")?.text ?? "";
}

test("the usual lines of a local.cf are there word for word", () => {
  const text = localCf({ allowFrom: senders("*@wealthsimple.com", "*@notifications.wealthsimple.com") });
  for (const line of [
    "required_score 5.0",
    "report_safe 0",
    "rewrite_header Subject [SPAM]",
    "whitelist_from *@wealthsimple.com",
    "whitelist_from *@notifications.wealthsimple.com",
  ])
    assert.ok(text.split("\n").includes(line), line);
  assert.doesNotMatch(localCf(), /whitelist_from/);
  assert.match(localCf({ requiredScore: 6.25 }), /^required_score 6\.25$/m);
});

test("a first mail that the guard marks gets the score of the settings", () => {
  assert.match(localCf(), /^header GHOSTINBOX_CROWD exists:X-GhostInbox-Crowd$/m);
  assert.match(localCf({ crowdScore: 3.5 }), /^score GHOSTINBOX_CROWD 3\.5$/m);
});

test("Bayes learns nothing from a header that this server adds", () => {
  const ignored = [...localCf().matchAll(/^bayes_ignore_header (.*)$/gm)].map(([, header]) => header);
  const own = ["Junk", "Verified", "Proof", "Crowd"].map((name) => `X-GhostInbox-${name}`);
  assert.deepEqual(ignored, ["Authentication-Results", ...own]);
});

test("names are looked up by our resolver, and the owner's rules come last", () => {
  assert.match(localCf(), /^dns_server 127\.71\.9\.53$/m);
  const files = renderSpamAssassin(sampleSite({ spam: { ...spam, ownRules: "score GTUBE 0\n" } }));
  // SpamAssassin reads the files of a directory in the order of their names.
  const names = files.map(({ name }) => name).filter((name) => name.endsWith(".cf"));
  assert.equal(names.toSorted().at(-1), "own.cf");
  assert.equal(files.find(({ name }) => name === "own.cf")?.text, "score GTUBE 0\n");
});

const script = (keyFile = ""): string =>
  renderUpdateRules(sampleSite({ spam: { ...spam, updates: { channel: "rules.example", keyFile } } })).text;

test("signatures are always checked, with SpamAssassin's own key unless another is named", () => {
  for (const text of [script(), script("/srv/mail/rules.asc")]) {
    assert.match(text, /sa-update --channel rules\.example .* \$keys /);
    assert.doesNotMatch(text, /nogpg|no-gpg/);
  }
  assert.match(
    script("/srv/mail/rules.asc"),
    /^for file in \S+\/sa-update-pubkey\.txt '\/srv\/mail\/rules\.asc'; do$/m,
  );
});

test("new rules are read whole before they take the place of the former ones at once", () => {
  const text = script();
  const at = (part: string): number => text.indexOf(part);
  assert.ok(at("sa-update --channel") < at("spamassassin --lint"));
  assert.ok(at("spamassassin --lint") < at("mv -T"));
  const checks = /spamassassin --lint .*--configpath=\S+\/fetched\/rules\.example --siteconfigpath=\S+ .*\|\| fails /;
  assert.match(text, checks);
});

test("rules from another channel stay separate", () => {
  assert.match(script(), /--updatedir \S+\/rules\/fetched\/rules\.example /);
});
