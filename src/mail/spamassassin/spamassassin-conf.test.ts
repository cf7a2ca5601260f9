import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleSite } from "../../../test/kit/sample-site.ts";
import { renderSpamAssassin, renderUpdateRules } from "./spamassassin-conf.ts";

const { spam } = sampleSite();

function localCf(changes: Partial<typeof spam> = {}): string {
  const files = renderSpamAssassin(sampleSite({ spam: { ...spam, ...changes } }));
  return files.find(({ name }) => name === "local.cf")?.text ?? "";
}

test("a first mail that the guard marks gets the score of the settings", () => {
  assert.match(localCf({ crowdScore: 3.5 }), /^score GHOSTINBOX_CROWD 3\.5$/m);
});

test("no score has an exponent, which SpamAssassin refuses", () => {
  for (const [crowdScore, written] of [
    [1e-7, "0"],
    [1e-6, "0.000001"],
    [2, "2.0"],
    [0.1 + 0.2, "0.3"],
  ] as const)
    assert.equal(/^score GHOSTINBOX_CROWD (.*)$/m.exec(localCf({ crowdScore }))?.[1], written);
});

test("Bayes learns nothing from a header that this server adds", () => {
  const ignored = [...localCf().matchAll(/^bayes_ignore_header (.*)$/gm)].map(([, header]) => header);
  const own = ["Junk", "Verified", "Proof", "Crowd"].map((name) => `X-GhostInbox-${name}`);
  assert.deepEqual(ignored, ["Authentication-Results", ...own]);
});

test("the owner's rules come last", () => {
  const files = renderSpamAssassin(sampleSite({ spam: { ...spam, ownRules: "score GTUBE 0\n" } }));
  // SpamAssassin reads the files of a directory in the order of their names.
  const names = files.map(({ name }) => name).filter((name) => name.endsWith(".cf"));
  assert.equal(names.toSorted().at(-1), "own.cf");
});

test("rules from another channel stay separate", () => {
  const updates = { channel: "rules.example", keyFile: "" };
  const script = renderUpdateRules(sampleSite({ spam: { ...spam, updates } })).text;
  assert.match(script, /--updatedir \S+\/rules\/fetched\/rules\.example /);
});
