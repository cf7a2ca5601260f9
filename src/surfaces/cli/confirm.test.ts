import assert from "node:assert/strict";
import { test } from "node:test";
import { banItem } from "../../../test/kit/samples.ts";
import { typed } from "../../../test/kit/typed-command.ts";
import type { Reply } from "../../admin/declare/control.ts";

const BANNED = (): Reply => ({ ok: true, result: { ban: banItem({ ip: "8.0.0.0", prefix: "8.0.0.0/8" }) } });

test("bans a very large network at a terminal only after a yes", async () => {
  const no = await typed("ban 8.8.8.8/8", BANNED, "");
  assert.equal(no.question, "8.0.0.0/8 is 16,777,216 addresses. Ban all of it? [y/N] ");
  assert.deepEqual([no.code, no.asked], [1, []]);
  assert.match(no.err, /^Nothing was banned\. A single address is written without a length: /);
  for (const [line, answer] of [
    ["ban 8.8.8.8/8", "y"],
    ["ban 8.8.8.8/8 --yes", "never asked"],
    ["ban 8.8.8.8/8", null],
    ["ban 8.8.0.0/16", "never asked"],
    ["ban 2001:db8::/32", "never asked"],
  ] as const) {
    const { code, asked, err } = await typed(line, BANNED, answer);
    assert.deepEqual([code, asked.map(({ verb }) => verb)], [0, ["ban"]], `${line}: ${err}`);
  }
  assert.match((await typed("ban 2001::/16", BANNED, "n")).question, /^2001::\/16 is a large part of the internet\. /);
});

test("does not ban the network of its own SSH connection", async () => {
  for (const [target, own] of [
    ["203.0.113.9", "203.0.113.9"],
    ["203.0.113.0/24", "203.0.113.9"],
    // An IPv6 address is banned with its network.
    ["2001:db8::1", "2001:db8::9"],
  ] as const) {
    const ssh = { SSH_CONNECTION: `${own} 50000 198.51.100.1 22` };
    const { code, asked, err } = await typed(`ban ${target}`, BANNED, null, ssh);
    assert.deepEqual([code, asked], [1, []]);
    assert.ok(err.startsWith(`Your SSH connection comes from ${own}: this ban would lock you out.`), err);
    assert.equal((await typed("ban 198.51.100.7", BANNED, null, ssh)).code, 0);
  }
});
