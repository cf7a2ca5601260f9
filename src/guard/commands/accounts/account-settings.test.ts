import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ANY_CHARACTER } from "../../../../test/kit/any-character.ts";
import { commandsOf, OWNER, refusalOf } from "../../../../test/kit/commands-kit.ts";
import { beforeEachOf } from "../../../../test/kit/hooks.ts";
import { net } from "../../../../test/kit/samples.ts";
import type { Command } from "../../../admin/declare/control.ts";
import { parseAccountName } from "../../../core/net/address.ts";
import { instant, isoTime } from "../../../core/time.ts";
import { parseEnd } from "./account-settings.ts";

const NAME = "alice@example.test";

const kit = commandsOf(import.meta.filename, NAME);

beforeEachOf(import.meta.filename, () => kit.signIn(OWNER));
/** Returns why the owner's command at the dashboard is refused, or `done`. */
const byOwner = (command: Command) => kit.said(command, "web", OWNER);

test("distinguishes an account without its own settings from a missing account", async () => {
  for (const [verb, result] of [
    ["app_passwords", { items: [] }],
    ["forwarding", { to: [], keep: true }],
    ["vacation", { vacation: null }],
  ] as const) {
    assert.deepEqual(await kit.ask({ verb, name: NAME }), { ok: true, result });
    const missing = await kit.ask({ verb, name: "nobody@example.test" });
    assert.partialDeepStrictEqual(missing, { ok: false, isMissing: true }, verb);
  }
});

function change(verb: "networks_add" | "networks_remove", networks: readonly string[]) {
  return kit.ask({ verb, name: NAME, networks });
}

test("an account is limited to its networks until the last is removed; each change ends its sessions", async () => {
  const limited = { name: NAME, networks: ["2001:db8::/32", "203.0.113.7/32"] };
  assert.deepEqual(await change("networks_add", ["203.0.113.7", "2001:db8::/32"]), { ok: true, result: limited });
  await change("networks_remove", ["2001:db8::/32"]);
  const free = { name: NAME, networks: [] };
  assert.deepEqual(await change("networks_remove", ["203.0.113.7"]), { ok: true, result: free });
  assert.deepEqual(kit.kept(), ["kick_account", "kick_account", "kick_account"]);
  assert.deepEqual(kit.details().slice(1), [
    `${NAME} from 2001:db8::/32, 203.0.113.7/32 by root`,
    `${NAME} from 203.0.113.7/32 by root`,
    `${NAME} from anywhere by root`,
  ]);
});

const AS = { as: "5e".repeat(32), ip: "203.0.113.9" };
const ELSEWHERE = { ...AS, ip: "198.51.100.9" };

const signIn = (): void => kit.signIn(AS, parseAccountName(NAME));
const isIn = async (as: typeof AS) => (await kit.ask({ verb: "my_sessions" }, "web", as)).ok;

test("changed networks end the account's sessions at the dashboard, but a dry run ends none", async () => {
  for (const verb of ["networks_add", "networks_remove"] as const) {
    signIn();
    const command = { verb, name: NAME.toUpperCase(), networks: ["203.0.113.0/24"] };
    assert.ok((await kit.dryRun(command)).ok);
    assert.ok(await isIn(AS), verb);
    assert.ok((await kit.ask(command)).ok);
    assert.ok(!(await isIn(AS)), verb);
  }
});

test("a mailbox session works only where its user may sign in", async () => {
  signIn();
  assert.deepEqual([await isIn(AS), await isIn(ELSEWHERE)], [true, true]);
  await change("networks_add", ["203.0.113.0/24"]);
  signIn();
  assert.deepEqual([await isIn(AS), await isIn(ELSEWHERE)], [true, false]);
  await change("networks_remove", ["203.0.113.0/24"]);
  signIn();
  const { logins } = kit.engine.policy;
  kit.engine.setPolicy({ ...kit.engine.policy, logins: { ...logins, networks: [net("198.51.100.0/24")] } });
  assert.deepEqual([await isIn(AS), await isIn(ELSEWHERE)], [false, true]);
});

test("a network that restricts nothing, or no network, is a usage error and changes nothing", async () => {
  for (const wrong of ["0.0.0.0/0", "::/0", "nowhere"]) {
    const said = await kit.said({ verb: "networks_add", name: NAME, networks: ["203.0.113.7", wrong] });
    assert.match(said, /^usage .* is not a network that restricts anything, such as/, wrong);
  }
  assert.ok((await change("networks_add", ["128.0.0.0/1"])).ok, "half the internet restricts something");
  assert.equal(kit.types().length, 2);
});

test("the caller learns that sessions stay open", async () => {
  kit.given.keeperUp = false;
  assert.match(refusalOf(await change("networks_add", ["203.0.113.7"])), /its open sessions were not ended: no answer/);
});

test("the web cannot restrict the mailbox that gets the alerts", async () => {
  kit.given.alertsTo = [NAME];
  for (const verb of ["networks_add", "networks_remove"] as const)
    assert.match(await byOwner({ verb, name: NAME, networks: ["203.0.113.7/32"] }), /gets the alerts/, verb);
  assert.partialDeepStrictEqual(await change("networks_add", ["203.0.113.7/32"]), { ok: true }, "root may");
});

const GB = 1024 ** 3;

function setQuota(quotaBytes: number | null) {
  return kit.ask({ verb: "quota_set", name: NAME, quotaBytes });
}

test("an account gets a quota, no limit or the default again; each change is recorded, and no session ends", async () => {
  assert.deepEqual(await setQuota(GB), { ok: true, result: { name: NAME, quotaBytes: GB } });
  const listed = () => kit.accountLists.accounts({ limit: 9, cursor: null }).items.map(({ quotaBytes }) => quotaBytes);
  assert.deepEqual(listed(), [GB]);
  await setQuota(0);
  await setQuota(null);
  assert.deepEqual(listed(), [null]);
  const quotas = ["1GB", "no limit", "the default"].map((quota) => `QUOTA_CHANGED ${NAME} to ${quota} by root`);
  assert.deepEqual(kit.recorded(/./).slice(1), quotas);
  assert.deepEqual(kit.kept(), []);
});

test("the web cannot set a quota too small for the mailbox to receive mail", async () => {
  const answer = (quotaBytes: number | null) => byOwner({ verb: "quota_set", name: NAME, quotaBytes });
  for (const quotaBytes of [1, 10 * 1024 * 1024 - 1]) assert.notEqual(await answer(quotaBytes), "done");
  for (const quotaBytes of [0, null, 10 * 1024 * 1024]) assert.equal(await answer(quotaBytes), "done");
  assert.partialDeepStrictEqual(await setQuota(1), { ok: true }, "root may");
});

test("the web cannot lower the quota of the mailbox that gets the alerts", async () => {
  kit.given.alertsTo = [NAME];
  await setQuota(2 * GB);
  const answer = (quotaBytes: number | null) => byOwner({ verb: "quota_set", name: NAME, quotaBytes });
  const stays = /^failed This mailbox gets the alerts of the server: its quota can be lowered only on the server\./;
  assert.match(await answer(GB), stays);
  assert.match(await answer(null), stays, "the default of the settings is smaller");
  for (const quotaBytes of [2 * GB, 3 * GB, 0]) assert.equal(await answer(quotaBytes), "done");
  assert.match(await answer(3 * GB), stays, "from no limit");
  assert.partialDeepStrictEqual(await setQuota(1), { ok: true }, "root may");
});

const AWAY = { subject: "Away", text: "I am in Rome.", until: null };

const NOW = instant(Date.parse("2026-11-22T12:00:00Z"));

test("a reply without text or with a past end is refused and changes nothing", async () => {
  for (const wrong of [{ text: " " }, { until: isoTime(kit.clock.now()) }])
    assert.match(await kit.said({ verb: "vacation_set", name: NAME, ...AWAY, ...wrong }), /^usage /);
  assert.equal(kit.vacationOf(NAME), null);
});

test("the end of a reply is a time or a day to come", () => {
  const until = (end: string) => {
    const parsed = parseEnd(end, NOW);
    return typeof parsed === "number" ? isoTime(parsed) : parsed.message;
  };
  assert.equal(until("2026-12-01T00:00:00Z"), "2026-12-01T00:00:00.000Z");
  assert.equal(until("2026-11-22T14:00:00.5+01:00"), "2026-11-22T13:00:00.500Z");
  assert.equal(until("2026-11-22"), "2026-11-22T23:59:59.000Z");
  for (const wrong of ["tomorrow", "2026-13-01T00:00:00Z", "2027-02-30T00:00:00Z", "2026-02-30"])
    assert.match(until(wrong), /not a time/);
  for (const past of ["2026-11-21", "2026-11-22T12:00:00Z"]) assert.match(until(past), /in the past/);
});

test("no text given as the end of a reply makes the parser throw", () => {
  fc.assert(fc.property(fc.string({ unit: ANY_CHARACTER }), (until) => void parseEnd(until, NOW)));
});
