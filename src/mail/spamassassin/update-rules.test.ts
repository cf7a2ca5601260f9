import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleSite } from "../../../test/kit/sample-site.ts";
import { renderUpdateRules } from "./spamassassin-conf.ts";

const { spam } = sampleSite();
const script = (keyFile = ""): string =>
  renderUpdateRules(sampleSite({ spam: { ...spam, updates: { channel: "rules.example", keyFile } } })).text;

test("signatures are always checked, with SpamAssassin's own key unless another is named", () => {
  for (const text of [script(), script("/srv/mail/rules.asc")]) {
    assert.match(text, /sa-update --channel rules\.example .* \$\{key:\+--gpgkey "\$key"\} /);
    assert.doesNotMatch(text, /nogpg|no-gpg/);
  }
  assert.match(script("/srv/mail/rules.asc"), /--import '\/srv\/mail\/rules\.asc'/);
});

test("new rules are read whole before they take the place of the former ones at once", () => {
  const text = script();
  const at = (part: string): number => text.indexOf(part);
  assert.ok(at("sa-update --channel") < at("spamassassin --lint"));
  assert.ok(at("spamassassin --lint") < at("mv -T"));
  assert.match(
    text,
    /spamassassin --lint .*--configpath=\S+\/fetched\/rules\.example --siteconfigpath=\S+ .*\|\| fails /,
  );
});

test("rules from another channel stay separate", () => {
  assert.match(script(), /--updatedir \S+\/rules\/fetched\/rules\.example /);
});
