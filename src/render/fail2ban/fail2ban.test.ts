import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleSite } from "../../../test/kit/sample-site.ts";
import { renderFail2ban } from "./fail2ban.ts";

const own = { name: "mine", text: "[Definition]\nfailregex = x <HOST>\n" };
const files = new Map(
  renderFail2ban(sampleSite({ fail2ban: { stock: [], own: [own] } })).map(({ name, text }) => [name, text]),
);
const jails = new Map(
  (files.get("jail.conf") ?? "").split(/^\[/m).map((section) => [section.slice(0, section.indexOf("]")), section]),
);

for (const [name, port, maxretry, bantime] of [
  ["postfix", "smtp,465,submission", 3, 600],
  ["dovecot", "pop3,pop3s,imap,imaps,submission,465,sieve", 3, 600],
  ["postfix-auth", "smtp,465,submission", 4, 1_800],
  ["postfix-rbl", "smtp,465,submission", 3, 1_800],
  ["postfix-spam", "smtp,465,submission", 3, 1_800],
  ["ghostinbox-smtp-abuse", "smtp,465,submission", 10, 7_200],
  ["ghostinbox-dashboard", "http,https,3000", 4, 1_800],
  ["mine", "smtp,465,submission", 3, 600],
] as const)
  test(`the jail ${name}`, () => {
    const jail = jails.get(name) ?? "";
    assert.match(jail, new RegExp(`^port = ${port}$`, "m"));
    assert.match(jail, new RegExp(`^maxretry = ${maxretry}$`, "m"));
    assert.match(jail, new RegExp(`^bantime = ${bantime}$`, "m"));
  });

test("it bans nobody by itself, and whom it must spare is the guard's to know", () => {
  const defaults = jails.get("DEFAULT") ?? "";
  assert.match(defaults, /^action = ghostinbox\.py\[spool="\/srv\/mail\/spool\/fail2ban"\]$/m);
  assert.match(defaults, /^ignoreip =$/m);
  assert.match(defaults, /^usedns = no$/m);
  assert.equal((files.get("jail.conf") ?? "").match(/^action =/gm)?.length, 1);
});

test("the owner's filter is there unchanged", () => assert.equal(files.get("filter.d/mine.conf"), own.text));
