import assert from "node:assert/strict";
import { test } from "node:test";
import * as z from "zod/mini";
import { apiKitOf } from "../../../../test/kit/api-kit.ts";
import { TEST_POLICY } from "../../../../test/kit/engine-kit.ts";
import { beforeEachOf } from "../../../../test/kit/hooks.ts";
import { emptyReport } from "../../../../test/kit/replay-report.ts";
import { STRANGER } from "../../../../test/kit/samples.ts";
import { preview as previewShape, type SettingsPreview, settingList } from "../../../admin/settings.ts";

const DIGEST = "0a".repeat(32);
const PREVIEW: SettingsPreview = {
  problems: [],
  lines: [],
  values: [],
  restarts: [],
  warnings: [],
  digest: DIGEST,
  trial: { policy: TEST_POLICY, allowNow: [], proxies: [] },
};
const UNTIL = "2026-11-20T07:15:00.000Z";
const CHANGED = { changed: ["simulate"], detail: "x", restarts: [], recorded: true, undoUntil: UNTIL };

const kit = apiKitOf(import.meta.filename);
beforeEachOf(import.meta.filename, () => {
  kit.guard.answers("settings_preview", PREVIEW);
  kit.guard.answers("settings_apply", CHANGED);
  kit.guard.answers("settings_undo", CHANGED);
});

async function ask(path: string, sent?: unknown) {
  const { status, answer } = await kit.send(sent === undefined ? "GET" : "POST", `settings${path}`, sent);
  return { status, body: answer, text: JSON.stringify(answer) };
}

test("the list joins what the guard knows with the reference, and says why a setting cannot be changed", async () => {
  const usual = { value: "10", isHidden: false, inFile: null, from: "default", line: null };
  const values = [
    { ...usual, key: "limits.mail.per_minute" },
    { ...usual, key: "limits.mail.per_hour", from: "GHOSTINBOX_LIMITS__MAIL__PER_HOUR" },
    { ...usual, key: "ports.http", value: "3000" },
    { ...usual, key: "alerts.webhook", value: "(secret)", isHidden: true },
    { ...usual, key: "of.another.version" },
  ];
  kit.guard.answers("settings_list", { values, digest: DIGEST, undo: null });
  const { status, body } = await ask("");
  assert.equal(status, 200);
  const { items } = z.parse(settingList(), body);
  assert.equal(items.length, 4);
  const [minute, hour, port, webhook] = items;
  assert.partialDeepStrictEqual(minute, { whyNot: null, default: "10", form: { type: "number", least: "1" } });
  assert.match(minute?.says ?? "", /^Mails from one stranger/);
  assert.match(hour?.whyNot ?? "", /^GHOSTINBOX_LIMITS__MAIL__PER_HOUR sets it/);
  assert.match(port?.whyNot ?? "", /^It decides who reaches the server/);
  assert.partialDeepStrictEqual(webhook, { value: "(secret)", isHidden: true });
  const small = [
    { ...usual, key: "profile", value: '"small"' },
    { ...usual, key: "outbound.at_once" },
  ];
  kit.guard.answers("settings_list", { values: small, digest: DIGEST, undo: null });
  const { body: again } = await ask("");
  assert.partialDeepStrictEqual(again, { items: [{}, { default: "4" }] }, "of the profile");
});

test("a preview says what the limits would have done, or that the trial took too long", async (t) => {
  const asked: unknown[] = [];
  const shown = { account: "anna@example.test", ip: STRANGER, events: 3, reason: "banned" } as const;
  const hit = { ...shown, firstAt: "2026-11-20T06:50:00.000Z", isBanned: false };
  const report = { ...emptyReport(), events: 9, accounts: { total: 1, items: [hit] } };
  t.mock.method(kit.parts.trials, "decide", (trial: unknown) => {
    asked.push(trial);
    return Promise.resolve(asked.length === 1 ? { outcome: "done", report } : { outcome: "too_long" });
  });
  const changes = { "limits.mail.per_minute": 5, "bans.ladder": ["5m"], "mailboxes.quota": null };
  const first = await ask("/preview", { changes });
  assert.equal(first.status, 200, first.text);
  const { trial } = z.parse(previewShape(), first.body);
  assert.deepEqual([trial?.outcome, trial?.events, trial?.accounts], ["done", 9, { total: 1, items: [shown] }]);
  const printed = [
    { key: "limits.mail.per_minute", value: "5" },
    { key: "bans.ladder", value: '["5m"]' },
    { key: "mailboxes.quota", value: null },
  ];
  assert.deepEqual(kit.guard.of("settings_preview")[0], { verb: "settings_preview", changes: printed });
  assert.match((await ask("/preview", { changes })).text, /"outcome":"too_long"/);
  assert.doesNotMatch(first.text, /"policy"/, "what the guard decides by stays inside");
  kit.guard.answers("settings_preview", { ...PREVIEW, trial: null });
  assert.match((await ask("/preview", { changes })).text, /"trial":null/);
  assert.equal(asked.length, 2);
});

test("a change and its undo are passed on; an edited file is a 409 with the next step", async () => {
  const asked = { changes: { "limits.mail.per_minute": 5 }, digest: DIGEST };
  assert.deepEqual((await ask("", asked)).body, CHANGED);
  assert.deepEqual((await ask("/undo", { digest: DIGEST })).body, CHANGED);
  kit.guard.refuses("settings_apply", "The settings file was edited since then.", {
    next: "Look at the changes again, then apply them.",
  });
  const { status, text } = await ask("", asked);
  assert.equal(status, 409);
  assert.match(text, /edited since then.*"next":"Look at the changes again/);
});

test("an invalid change is refused before the guard sees it", async () => {
  const many = Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`a.b${i}`, 1]));
  const wrong = [undefined, {}, [], many, { "a.b": { c: 1 } }, { "a.b": "x".repeat(201) }];
  for (const body of [...wrong.map((changes) => ({ changes })), { changes: { "a.b": 1 }, digest: DIGEST, more: 1 }])
    assert.equal((await ask("/preview", body)).status, 400, JSON.stringify(body).slice(0, 80));
  for (const digest of [undefined, "", "x", "0A".repeat(32)])
    assert.equal((await ask("", { changes: { "a.b": 1 }, digest })).status, 400);
  assert.deepEqual(kit.guard.asked, []);
});
