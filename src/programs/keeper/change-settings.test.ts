import assert from "node:assert/strict";
import { chmodSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { HandClock } from "../../../test/kit/engine-kit.ts";
import { loadValid } from "../../../test/kit/loaded-settings.ts";
import { reasonOf } from "../../../test/kit/reason-of.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import type { KeeperReply } from "../../admin/declare/keeper.ts";
import { MINUTE_MS } from "../../core/time.ts";
import { digestOf } from "../../guard/access/secrets.ts";
import { commentedToml } from "../../settings/reference.ts";
import { createChangeSettings } from "./change-settings.ts";

const SHIPPED = `# ünser\n${commentedToml({ domains: ["example.org"], hostname: "mail.example.org" })}`;
const CHANGES = [{ key: "limits.mail.per_minute", value: "20" }] as const;
const LINE = "# limits.mail.per_minute = 10\n";
const CHANGED = SHIPPED.replace(LINE, `${LINE}limits.mail.per_minute = 20\n`);

type Refusal = Extract<KeeperReply, { ok: false }>;

function kit() {
  const path = join(temporaryDirectory(), "ghostinbox.toml");
  writeFileSync(path, SHIPPED);
  chmodSync(path, 0o640);
  const clock = new HandClock();
  /** The file, each time that it was applied. */
  const seen: string[] = [];
  const digests: (string | undefined)[] = [];
  let refusals: readonly (string | Refusal)[] = [];
  let during = (): void => undefined;
  const apply = (digest?: string): Promise<KeeperReply> => {
    seen.push(file());
    digests.push(digest);
    during();
    const [reason, ...others] = refusals;
    refusals = others;
    if (reason === undefined) {
      inForce = loadValid(file()).settings;
      return Promise.resolve({ ok: true, detail: "Reloaded postfix." });
    }
    return Promise.resolve(typeof reason === "string" ? { ok: false, reason } : reason);
  };
  const file = (): string => readFileSync(path, "utf8");
  let inForce = loadValid(SHIPPED).settings;
  const settings = createChangeSettings({ path, env: {}, clock, apply, inForce: () => inForce });
  return {
    path,
    clock,
    seen,
    digests,
    file,
    settings,
    undo: () => settings.undo(digestOf(file())),
    change: (changes: Parameters<typeof settings.change>[0] = CHANGES) => settings.change(changes, digestOf(file())),
    /** Runs while the file is being applied. */
    meanwhile: (what: () => void) => (during = what),
    refuses: (...reasons: readonly (string | Refusal)[]) => (refusals = reasons),
  };
}

test("the whole file is replaced and applied, with its comments, owner and mode; undo restores every byte", async () => {
  const { path, undo, change, file, seen } = kit();
  const before = statSync(path);
  assert.deepEqual(await change(), { ok: true, detail: "Reloaded postfix." });
  assert.equal(file(), CHANGED);
  const after = statSync(path);
  assert.deepEqual([after.mode, after.uid, after.gid], [before.mode, before.uid, before.gid]);
  assert.notEqual(after.ino, before.ino, "it was replaced, not overwritten");
  assert.ok((await undo()).ok);
  assert.equal(file(), SHIPPED);
  assert.deepEqual(seen, [CHANGED, SHIPPED]);
  assert.match(reasonOf(await undo()), /No change of the last 15 minutes/, "once");
});

test("only the text that was written is applied, not an edit that is saved directly after it", async () => {
  const { change, digests, refuses } = kit();
  refuses("postfix refuses it");
  await change();
  assert.deepEqual(digests, [digestOf(CHANGED), digestOf(SHIPPED)]);
});

test("if the change cannot be applied, the old file stays in force, and nothing can be undone", async () => {
  const { undo, change, file, seen, refuses } = kit();
  refuses("postfix refuses it");
  assert.deepEqual(await change(), { ok: false, reason: "postfix refuses it" });
  assert.equal(file(), SHIPPED);
  assert.deepEqual(seen, [CHANGED, SHIPPED], "the old one was applied again");
  assert.match(reasonOf(await undo()), /No change/);
  const reason = "postfix refuses it The settings before could not be applied again either: it is gone";
  for (const first of [{}, { mayBeDone: true }] as const)
    for (const second of [{}, { mayBeDone: true }] as const) {
      refuses({ ok: false, reason: "postfix refuses it", ...first }, { ok: false, reason: "it is gone", ...second });
      assert.deepEqual(await change(), { ok: false, reason, ...first, ...second }, "it may hold only if either moved");
      assert.equal(file(), SHIPPED);
    }
});

test("if an undo cannot be applied, the change stays", async () => {
  const { undo, change, file, refuses } = kit();
  await change();
  refuses("no");
  assert.equal(reasonOf(await undo()), "no");
  assert.equal(file(), CHANGED);
  assert.ok((await undo()).ok, "it can be retried");
});

test("a file that was edited in between is not changed, even by undo", async () => {
  const { path, settings, undo, change, file, seen } = kit();
  assert.match(reasonOf(await settings.change(CHANGES, "0".repeat(64))), /edited since then/);
  assert.ok((await change()).ok);
  writeFileSync(path, `${CHANGED}# mine\n`);
  assert.match(reasonOf(await undo()), /edited since then/);
  assert.equal(file(), `${CHANGED}# mine\n`);
  assert.equal(seen.length, 1);
});

test("an edit that is saved while a change is applied stays, even if the change is refused", async () => {
  const { path, undo, change, file, seen, refuses, meanwhile } = kit();
  meanwhile(() => writeFileSync(path, `${file()}# mine\n`));
  refuses("postfix refuses it.");
  const refused = await change();
  assert.match(reasonOf(refused), /^postfix refuses it\. .* edited since then, so it was not restored/);
  assert.partialDeepStrictEqual(refused, { mayBeDone: true });
  assert.equal(file(), `${CHANGED}# mine\n`);
  assert.deepEqual(seen, [CHANGED], "and it is not applied");
  assert.match(reasonOf(await undo()), /No change/);
});

test("the web undoes neither manual changes that are not applied, nor changes that it has not seen", async () => {
  const { path, settings, change, undo, file } = kit();
  const seen = digestOf(SHIPPED);
  assert.ok((await change()).ok);
  assert.match(reasonOf(await settings.undo(seen)), /edited since then/, "a different change was made in between");
  const mine = CHANGED.replace("per_minute = 20", "per_minute = 30");
  writeFileSync(path, mine);
  assert.match(reasonOf(await change([{ key: "limits.mail.per_hour", value: "60" }])), /not applied: `config apply`/);
  assert.ok((await settings.apply()).ok);
  assert.match(reasonOf(await undo()), /edited since then/);
  writeFileSync(path, CHANGED);
  assert.match(reasonOf(await undo()), /not applied/, "the manual change stays in force");
  assert.equal(file(), CHANGED);
  writeFileSync(path, `${mine}# a comment\n`);
  assert.ok((await change([{ key: "limits.mail.per_hour", value: "60" }])).ok, "a comment changes nothing");
});

test("a change without effect applies nothing", async () => {
  const { change, seen } = kit();
  assert.match(reasonOf(await change([])), /^Already set/);
  assert.deepEqual(seen, []);
});

test("after 15 minutes, or if the clock was set back further, nothing is undone", async () => {
  for (const byMs of [16 * MINUTE_MS, -16 * MINUTE_MS]) {
    const { undo, change, clock } = kit();
    await change();
    clock.advance(byMs);
    assert.match(reasonOf(await undo()), /No change/);
  }
});

test("a compromised guard can change only the settings of the list", async () => {
  const { change, file, seen } = kit();
  for (const [key, value] of [
    ["ports.http", "80"],
    ["http.trusted_proxies", '["0.0.0.0/1"]'],
    ["alerts.email", '["thief@evil.example"]'],
    ["simulate", "true"],
    ["limits.mail.per_minute", "1\nsimulate = true"],
  ] as const)
    assert.match(reasonOf(await change([{ key, value }])), /cannot be changed here|must be/);
  assert.equal(file(), SHIPPED);
  assert.deepEqual(seen, []);
});

test("neither a link nor a file in a different encoding is replaced", async () => {
  const { path, settings, file } = kit();
  const link = `${path}.link`;
  symlinkSync(path, link);
  const digest = digestOf(SHIPPED);
  const apply = () => assert.fail("applied");
  const inForce = () => loadValid(SHIPPED).settings;
  const linked = createChangeSettings({ path: link, env: {}, clock: new HandClock(), apply, inForce });
  const refused = await linked.change(CHANGES, digest);
  assert.match(reasonOf(refused), /put a copy in its place/);
  assert.ok(!refused.ok && refused.mayBeDone === undefined, "nothing was written");
  writeFileSync(path, Buffer.from("# \xfc\n", "latin1"));
  assert.match(reasonOf(await settings.change(CHANGES, digest)), /not UTF-8/);
  assert.ok(file().startsWith("# "));
});
