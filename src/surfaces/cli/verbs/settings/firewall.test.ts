import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { loadValid, settingsWith } from "../../../../../test/kit/loaded-settings.ts";
import { lacking } from "../../../../../test/kit/needs.ts";
import { opening } from "../../../../../test/kit/samples.ts";
import { scriptCall } from "../../../../../test/kit/script-world.ts";
import { temporaryLayout } from "../../../../../test/kit/temporary-directory.ts";
import type { Command } from "../../../../admin/declare/control.ts";
import type { KeeperCommand, KeeperReply } from "../../../../admin/declare/keeper.ts";
import { UNCONFIRMED } from "../../../../core/firewall/strict.ts";
import { firewallState } from "../../../../host/firewall/firewall-state.ts";
import { keepStrict } from "../../../../host/firewall/strict.ts";
import { nftStrict } from "../../../../host/firewall/strict-rules.ts";
import { takeLock } from "../../../../host/running/data-directory.ts";
import { type Call, failed } from "../../call.ts";
import { confirmStrict, firewallConfirm, firewallRollback, firewallTry, shownState } from "./firewall.ts";

const TOML = 'domains = ["example.org"]\n[firewall]\nmode = "strict"\n';
const SETTINGS = loadValid(TOML).settings;
const NONE = { doors: [], trusted: [] };
const OLD = "198.51.100.65 50000 203.0.113.10 22";

/** A call of the command line. `answer` is typed at its terminal; null if it has none. */
function caller({
  answer = null as string | null,
  flags = [] as readonly string[],
  ssh = OLD,
  reply = { ok: true, detail: "" } as KeeperReply,
  /** The guard. */
  isDown = false,
  isStopped = false,
}) {
  const layout = temporaryLayout();
  writeFileSync(layout.settings, TOML);
  if (!isStopped) takeLock(layout.startPid);
  const asked: KeeperCommand[] = [];
  const audited: string[] = [];
  let said = "";
  const guard = {
    ask: ({ type, subject }: Extract<Command, { verb: "record" }>) => {
      if (isDown) return Promise.resolve(failed("The guard does not answer.", ""));
      audited.push(`${type}: ${subject}`);
      return Promise.resolve({ ok: true, result: { done: true } });
    },
  };
  const call = scriptCall({
    layout,
    flags,
    env: { SSH_CONNECTION: ssh },
    keeper: {
      ask: (command) => {
        asked.push(command);
        return Promise.resolve(reply);
      },
    },
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nothing else is asked
    guard: guard as unknown as Call["guard"],
    terminal: {
      interactive: answer !== null,
      err: (text) => (said += text),
      ask: (text) => {
        said += text;
        return Promise.resolve(answer);
      },
    },
  });
  return { call, layout, asked, audited, said: () => said };
}

type CallerParts = Parameters<typeof caller>[0];

const needsRoot = { skip: lacking({ root: true, installed: ["ss"] }) };

test("settings that close a port are applied only after a yes, and the closed ports are named first", async () => {
  const asks = async (parts: CallerParts, changed = ["firewall.mode"]) => {
    const { call, said } = caller(parts);
    return { ...(await confirmStrict(call, SETTINGS, changed)), said: said() };
  };
  const yes = await asks({ answer: "y" });
  assert.match(yes.said, /will accept .*25\/tcp, .*within 2m, every port is open again\. Start\? \[y\/N\]/);
  assert.deepEqual([yes.ok, "begins" in yes && yes.begins], [true, true]);
  assert.equal((await asks({ answer: "n" })).ok, false);
  assert.match(JSON.stringify(await asks({})), /Nothing was applied: The firewall will accept/);
  const agreed = await asks({ flags: ["yes"] });
  assert.deepEqual([agreed.ok, agreed.said.includes("Start?")], [true, false]);
  assert.deepEqual(await asks({}, ["limits.mail.per_minute"]), { ok: true, begins: false, said: "" });
  const needless = await confirmStrict(caller({}).call, settingsWith(), ["firewall.mode"]);
  assert.deepEqual(needless, { ok: true, begins: false });
});

test("ports that stay open need no question", async () => {
  const { call, layout } = caller({});
  keepStrict(layout, { confirmed: NONE, trial: null });
  assert.deepEqual(await confirmStrict(call, SETTINGS, ["firewall.open"]), { ok: true, begins: false });
});

test("a trial prints what to do, and passes on the port of the caller's session", needsRoot, async () => {
  const { call, asked, audited, layout } = caller({ flags: ["yes"], reply: { ok: true, detail: "", count: 120 } });
  keepStrict(layout, { confirmed: null, trial: { opening: NONE, connections: [] } });
  const begun = await firewallTry(call);
  assert.ok(begun.ok);
  assert.match(begun.text, /open a NEW one within 2m and run `\.\/ghostinbox firewall confirm` there/);
  assert.deepEqual(asked, [{ verb: "firewall_try", session: 22 }]);
  assert.deepEqual(audited, ["FIREWALL_TRIED: no port"]);
  const grown = await firewallTry(caller({ answer: "y", reply: { ok: true, detail: "Nothing is closed." } }).call);
  assert.equal(grown.ok && grown.text, "Nothing is closed.");
  assert.equal((await firewallTry(caller({ answer: "" }).call)).ok, false);
  assert.equal((await firewallTry(caller({}).call)).ok, false);
  const failed = await firewallTry(caller({ flags: ["yes"], reply: { ok: false, reason: "nft failed" } }).call);
  assert.match(JSON.stringify(failed), /was not changed: nft failed/);
});

test("only a session that started since then confirms, or --yes", needsRoot, async () => {
  const confirm = async (parts: CallerParts, connections: readonly string[] = [OLD]) => {
    const { call, layout, asked, audited } = caller(parts);
    keepStrict(layout, { confirmed: null, trial: connections.length === 0 ? null : { opening: NONE, connections } });
    return { said: JSON.stringify(await firewallConfirm(call)), asked, audited };
  };
  assert.match((await confirm({}, [])).said, /No confirmation is pending/);
  for (const ssh of [OLD, "198.51.100.65 50001 203.0.113.10 22"]) {
    const refused = await confirm({ ssh });
    assert.match(refused.said, /opened before the firewall was tried/);
    assert.deepEqual([refused.asked, refused.audited], [[], []]);
  }
  const sure = await confirm({ flags: ["yes"] });
  assert.match(sure.said, /The strict firewall stays/);
  assert.deepEqual([sure.asked, sure.audited], [[{ verb: "firewall_confirm" }], ["FIREWALL_CONFIRMED: no port"]]);
  const unaudited = await confirm({ flags: ["yes"], isDown: true });
  assert.match(unaudited.said, /stays\. The audit has no record of it: The guard does not answer\./);
  const late = await confirm({ flags: ["yes"], reply: { ok: false, reason: "nothing waits" } });
  assert.match(late.said, /It was not confirmed: nothing waits/);
});

test("a trial is undone at once; without a trial, the message says how to open the firewall", async () => {
  const { call, audited } = caller({});
  assert.match(JSON.stringify(await firewallRollback(call)), /in force again/);
  assert.deepEqual(audited, ["FIREWALL_ROLLED_BACK: every port"]);
  const none = await firewallRollback(caller({ reply: { ok: false, reason: "nothing waits" } }).call);
  assert.match(JSON.stringify(none), /nothing waits\..*firewall\.mode bans/);
  const late = { ok: false, reason: "The keeper did not answer within 20 s.", mayBeDone: true } as const;
  const says =
    /"It may still take effect: The keeper did not answer within 20 s\.","next":"`\.\/ghostinbox firewall` shows/;
  assert.match(JSON.stringify(await firewallRollback(caller({ reply: late }).call)), says);
  const stopped = caller({ isStopped: true, reply: { ok: false, reason: "The keeper cannot be reached (ENOENT)." } });
  assert.match(JSON.stringify(await firewallRollback(stopped.call)), /GhostInbox is not running/);
});

const OPEN = opening(["22/tcp4"], ["wg0"]);
const STRICT = { "firewall.enabled": true, "firewall.mode": "strict" } as const;
const BANS = { ...STRICT, "firewall.mode": "bans" } as const;
const MADE = nftStrict(OPEN, null);
const TRIED = nftStrict(null, { opening: OPEN, timeoutS: 90 }).replaceAll(/timeout (\d+s)/g, "timeout $1 expires $1");

for (const [state, settings, confirmed, listing, says] of [
  ["bans", BANS, null, "", /^Firewall: mode bans; .*every port is open to others\.$/],
  ["off", { ...BANS, "firewall.enabled": false }, null, "", /off \(firewall\.enabled\)/],
  ["unknown", STRICT, OPEN, null, /needs root/],
  ["confirmed", STRICT, OPEN, MADE, /^Firewall: mode strict; open: 22\/tcp \(IPv4\), everything from wg0\.$/],
  ["trial", STRICT, null, TRIED, /AWAITING CONFIRMATION for another 90s .*; open: 22\/tcp/],
  ["unconfirmed", STRICT, null, "", /NOT IN FORCE, because it was not confirmed .*; every port is open\.$/],
  ["broken", STRICT, OPEN, "", /was changed \(the table is gone\); every port is open\.$/],
  ["broken", STRICT, { ...OPEN, trusted: [] }, MADE, /other connections than those confirmed/],
  ["broken", STRICT, OPEN, MADE.replace("goto confirmed", "accept"), /was changed \(accept\)/],
] as const)
  test(`the firewall is ${state}: ${says.source}`, () => {
    const found = firewallState(settings, { confirmed, trial: null }, listing);
    assert.equal(found.state, state);
    assert.match(shownState(found, null), says);
  });

test("an isolated server is not shown as open", () => {
  const found = firewallState(BANS, UNCONFIRMED, "");
  const isolation = { incident: "1", since: "", allow: [], ssh: [22], shut: ["receive", "sign-in"] } as const;
  const says = /open to others\. But the server is isolated; closed: receive, sign-in\.$/;
  assert.match(shownState(found, isolation), says);
});
