import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { banItem, WELL } from "../../../../../test/kit/samples.ts";
import { connected, readerWith, script } from "../../../../../test/kit/script-world.ts";
import { temporaryLayout } from "../../../../../test/kit/temporary-directory.ts";
import type { Command } from "../../../../admin/declare/control.ts";
import type { Health } from "../../../../admin/declare/items.ts";
import { alertText } from "../../../../core/alerts/alerts.ts";
import { NOTICE_CODES } from "../../../../core/alerts/notices.ts";
import { endDrill } from "../../../../jobs/backup/records.ts";
import { changeCheckRecord } from "../../../../jobs/check/check-record.ts";
import { changeMailRecord } from "../../../../jobs/report/records.ts";
import { failed, type GuardClient, type Reader } from "../../call.ts";
import { shownLastDrill } from "../../print/drill.ts";
import { nextAfterStatus, printStats, shownLastCheck, shownLastReport, shownProfile } from "./status.ts";

function stats(bans: number, listed: number, headline: Health["headline"] = "well"): string {
  const items = Array.from({ length: listed }, (_, n) => banItem({ ip: `203.0.113.${n}`, reason: "it scanned us" }));
  const rest = { generatedAt: "2026-11-20T07:00:00.000Z", events: [], topIps: [], counts: {} };
  return printStats({ ...rest, bans: { active: bans, items, next: null }, health: { ...WELL, headline } }, 0);
}

test("stats names the command for bans that it does not list", () => {
  assert.doesNotMatch(stats(10, 10), / more:/);
  const many = stats(1_234, 10);
  assert.equal(many.match(/it scanned us/g)?.length, 10);
  assert.match(many, /^… and 1,224 more: \.\/ghostinbox bans$/m);
});

test("says that mail does not flow only if none does now", () => {
  for (const [headline, says] of [
    ["disk_full", "mail does not flow"],
    ["isolated", "it is isolated"],
    ["outgoing_blocked", "when last checked, mail to other servers could not leave"],
  ] as const)
    assert.ok(stats(0, 0, headline).startsWith(`GhostInbox is running, but ${says}. Up`), headline);
});

test("the next command is one of this program, whatever else the advice names", () => {
  for (const code of NOTICE_CODES) {
    const { says, next } = alertText(code);
    const task = { kind: "notice", code, since: null, says, action: next, account: null } as const;
    assert.match(nextAfterStatus({ ...WELL, headline: "tasks", needsYou: [task] }, 0), /^\.\/ghostinbox \w/, code);
  }
});

/** What `status` prints with this database and a guard that answers `alerts_list` like this. */
async function statusOf(banCounts: () => object, alerts: (limit: number) => object, ...words: readonly string[]) {
  const { data } = temporaryLayout();
  const ask = (asked: Command) =>
    Promise.resolve(asked.verb === "alerts_list" ? alerts(asked.limit ?? 0) : { ok: true, result: WELL });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nothing else is read
  const queries = { figures: { banCounts } } as unknown as Reader["queries"];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nothing else is asked
  const guard = { ask } as unknown as GuardClient;
  const connect = () => connected({ guard, reader: readerWith({ queries }) });
  return (await script(["status", "--data", data, ...words], { connect })).out;
}

test("status works with a database that cannot be read to its end", async () => {
  const damaged = () => assert.fail("database disk image is malformed");
  const out = await statusOf(damaged, () => failed("It is not known.", ""));
  assert.match(out, /^GhostInbox is running\. Up .*, bans unknown\./);
});

test("status counts all open alerts, however many there are", async () => {
  const [open, over] = [{ resolvedAt: null }, { resolvedAt: "2026-11-20T07:00:00.000Z" }];
  const items = [...Array.from({ length: 11 }, () => open), over];
  const alerts = (limit: number) => ({ ok: true, result: { items: items.slice(0, limit), leadOut: true } });
  const shown: unknown = JSON.parse(await statusOf(() => ({ manual: 0 }), alerts, "--json"));
  assert.partialDeepStrictEqual(shown, { alerts: { open: 11, leadOut: true } });
});

test("while only the guard is down, status prints what the keeper reports, and fails differently than without a server", async () => {
  const why = { ok: false, exit: "not_running", message: "The guard was stopped.", next: "" } as const;
  const up = { name: "postfix", up: true, pid: 7, seconds: 60 };
  for (const [reply, code, components] of [
    [{ ok: true, detail: "", services: [up] }, 1, ["guard: down", "keeper: ok", "postfix: ok"]],
    [{ ok: false, reason: "It does not answer." }, 3, []],
  ] as const) {
    const guard = { ask: () => Promise.resolve(why) };
    const connect = () => connected({ guard, keeper: { ask: () => Promise.resolve(reply) } });
    const ran = await script(["status", "--data", temporaryLayout().data, "--json"], { connect });
    const states = ran.out
      .matchAll(/"name":\s*"(\w+)",\s*"status":\s*"(\w+)"/g)
      .map((found) => `${found[1]}: ${found[2]}`);
    assert.deepEqual([ran.code, [...states]], [code, components]);
  }
});

test("one line about the last checks; nothing before the first", () => {
  const layout = temporaryLayout("checkRecord");
  assert.equal(shownLastCheck(layout), null);
  const kept = { state: "ok", evidence: "x", passedAt: 1 } as const;
  changeCheckRecord(layout, { at: Date.UTC(2026, 10, 16, 7), checks: { "a.a": kept, "a.b": kept } });
  assert.equal(shownLastCheck(layout)?.text, "Last checks: 2026-11-16 07:00:00 UTC, 2 checks, nothing wrong.");
  changeCheckRecord(layout, { checks: { "a.a": kept, "a.b": { ...kept, state: "wrong" } } });
  assert.deepEqual(shownLastCheck(layout), {
    text: "Last checks: 2026-11-16 07:00:00 UTC, 2 checks, wrong: a.b.",
    json: { at: "2026-11-16T07:00:00.000Z", checks: 2, wrong: ["a.b"] },
  });
});

test("one line about the last restore drill, whatever its result; nothing before the first", () => {
  const layout = temporaryLayout("backupDrills");
  assert.equal(shownLastDrill(layout), null);
  const at = Date.UTC(2026, 10, 21, 3, 0, 0);
  const none = { queued: 0, aliases: 0, bans: 0, tokens: 0, gone: 0, different: 0, server: null };
  const found = { mails: 7, mailboxes: 1, accounts: 1, same: 7, ...none };
  const drill = { at, tookMs: 4_200, snapshot: "0123abcd", madeAt: at - 60_000, reason: null, found };
  endDrill(layout, drill);
  const expected = "Last restore drill: 2026-11-21 03:00:00 UTC, 7 mails of 0123abcd in 5 s, all right.";
  assert.equal(shownLastDrill(layout)?.text, expected);
  endDrill(layout, { ...drill, at: at + 60_000, reason: "it is damaged", found: null });
  const failed = shownLastDrill(layout);
  assert.equal(failed?.text, "Last restore drill: 2026-11-21 03:01:00 UTC, failed: it is damaged.");
  assert.equal(failed.json.ok, false);
  writeFileSync(layout.backupDrills, "no record");
  assert.equal(shownLastDrill(layout), null);
});

test("one line about the last report by mail; nothing before the first", () => {
  const layout = temporaryLayout("reportsMailed");
  assert.equal(shownLastReport(layout), null);
  const to = ["anna@example.org", "bea@example.org"];
  changeMailRecord(layout, { last: { at: Date.UTC(2026, 10, 16, 7), to } });
  assert.deepEqual(shownLastReport(layout), {
    text: "Last report by mail: 2026-11-16 07:00:00 UTC, to anna@example.org, bea@example.org.",
    json: { at: "2026-11-16T07:00:00.000Z", to },
  });
});

function shown(toml: string) {
  const layout = temporaryLayout();
  writeFileSync(layout.settings, toml);
  return shownProfile({ layout, env: {} });
}

test("status names what the small profile gives up, except what the owner has set; nothing for others", () => {
  const small = shown('domains = ["example.org"]\nprofile = "small"\nspam.processes = 2\n');
  assert.equal(small?.json.name, "small");
  const lines = small.text.split("\n");
  assert.equal(lines[0], "Profile small (docs/small-machine.md):");
  assert.ok(lines.some((line) => line.startsWith("  Fail2ban is off: ")));
  assert.ok(!lines.some((line) => /scored/.test(line)));
  assert.equal(shown('domains = ["example.org"]\n'), null);
  assert.equal(shown('profile = "small"\nspam.processes = 0\n'), null);
});
