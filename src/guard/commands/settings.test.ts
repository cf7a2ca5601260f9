import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { commandsOnMemory, refusalOf } from "../../../test/kit/commands-kit.ts";
import { isoTime, later, MINUTE_MS } from "../../core/time.ts";
import { changeFile } from "../../settings/change-file.ts";
import { pending, recordOf, reload, undone, valuesOf } from "./settings-file.ts";

const FILE = 'domains = ["example.test"] # ours\nlimits.mail.per_minute = 10 # few\n';
const CHANGED = FILE.replace("= 10", "= 20");
const CHANGES = [{ key: "limits.mail.per_minute", value: "20" }];
const LOOKS = [{ verb: "settings_list" }, { verb: "settings_preview", changes: CHANGES }] as const;

/** Lets this happen once the change has had its turn and read the file. */
async function during<T>(reply: Promise<T>, happens: () => void): Promise<T> {
  await Promise.resolve();
  happens();
  return reply;
}

function kit(text = FILE, env = {}) {
  const commands = commandsOnMemory();
  const { ask, result, given } = commands;
  Object.assign(given, { settingsText: text, settingsEnv: env });
  return {
    ...commands,
    list: () => result({ verb: "settings_list" }),
    preview: (changes: readonly Readonly<{ key: string; value: string | null }>[] = CHANGES) =>
      result({ verb: "settings_preview", changes }),
    apply: (digest: string, changes = CHANGES) => ask({ verb: "settings_apply", changes, digest }),
    /** Sets the file as after the keeper has written it and the guard has loaded it. */
    inForce: (file: string): void =>
      void Object.assign(given, { settingsText: file, reloaded: { ok: true, changed: [] } }),
  };
}

/** A kit after a change was previewed. */
async function previewed() {
  const commands = kit();
  return { ...commands, digest: (await commands.preview()).digest };
}

test("lists every setting with its origin, but no secret, path or address of the owner", async () => {
  const text = `${FILE}alerts.webhook = ["https://hooks.example/T0KEN"]\nalerts.email = ["owner@home.example"]\ntls.cert = "/root/S3CRET.pem"\ntls.key = "/root/S3CRET.key"\n`;
  const { list } = kit(text, { GHOSTINBOX_LIMITS__MAIL__PER_HOUR: "60", GHOSTINBOX_BACKUP__REPOSITORY: "/T0KEN" });
  const { values, undo, digest } = await list();
  const of = (key: string) => values.find((one) => one.key === key);
  const key = "limits.mail.per_minute";
  assert.deepEqual(of(key), { key, value: "10", isHidden: false, inFile: null, from: "file", line: 2 });
  assert.equal(of("limits.mail.per_hour")?.from, "GHOSTINBOX_LIMITS__MAIL__PER_HOUR");
  assert.equal(of("limits.mail.per_day")?.from, "default");
  assert.deepEqual([of("alerts.webhook")?.value, of("alerts.webhook")?.isHidden], ["(secret)", true]);
  assert.deepEqual([of("alerts.ntfy")?.value, of("alerts.ntfy")?.isHidden], ["[]", false], "unset is not a secret");
  assert.equal(undo, null);
  assert.doesNotMatch(JSON.stringify(values), /T0KEN|S3CRET|home\.example/);
  assert.notEqual(digest, createHash("sha256").update(text).digest("hex"), "it reveals nothing about the text");
});

test("shows both values of a setting that is not in force yet, and none of a hidden one", async () => {
  const { list, given } = kit(`${FILE}alerts.email = ["owner@home.example"]\n`);
  given.waiting = { "spam.processes": "3" };
  given.reloaded = { ok: true, changed: ["limits.mail.per_minute", "alerts.email", "alerts.webhook"] };
  const { values } = await list();
  const of = (key: string) => values.find((one) => one.key === key);
  assert.deepEqual([of("limits.mail.per_minute")?.value, of("limits.mail.per_minute")?.inFile], ["1", "10"]);
  assert.deepEqual([of("spam.processes")?.value, of("spam.processes")?.inFile], ["3", "2"]);
  assert.deepEqual([of("alerts.email")?.value, of("alerts.email")?.inFile], ["(secret)", "(secret)"]);
  assert.equal(of("alerts.webhook")?.value, "(secret)", "although the file no longer has it");
});

test("a preview lists the lines, the values, the restarts and the changed decisions, and writes nothing", async () => {
  const { preview, asked, rows } = kit();
  const memory = { key: "bans.memory", value: '"14d"' };
  const { lines, values, restarts, warnings, problems, trial } = await preview([...CHANGES, memory]);
  assert.deepEqual(problems, []);
  const key = "limits.mail.per_minute";
  assert.deepEqual(lines[0], { key, line: 2, removed: [`${key} = 10 # few`], added: [`${key} = 20 # few`] });
  assert.deepEqual(values[0], { key, was: "10", is: "20" });
  assert.deepEqual([restarts, warnings], [["web"], []]);
  const warned = await kit(`${FILE}spam.allow_from = ["*@a.test"]\n`).preview();
  assert.deepEqual(warned.warnings, [], "only new ones are shown");
  const raised = await preview([{ key, value: "21" }]);
  const says = `limits.mail.postfix_per_minute = 20 defers mail before ${key} = 21 is reached; raise it too.`;
  assert.deepEqual(raised.warnings, [says]);
  assert.equal(trial?.policy.mail[0]?.count, 20);
  assert.equal((await preview([{ key: "mailboxes.quota", value: '"10GB"' }])).trial, null, "decides nothing");
  const wrong = await preview([
    { key: "ports.smtp", value: "26" },
    { key: "spam.required_score", value: '"x"' },
  ]);
  const wrongKeys = wrong.problems.map(({ key }) => key);
  assert.deepEqual(wrongKeys, ["ports.smtp", "spam.required_score"]);
  assert.deepEqual(wrong.lines, []);
  assert.equal(wrong.trial, null);
  assert.deepEqual([asked, rows()], [[], 0]);
});

test("a change is sent to the keeper with the digest of the file, recorded with its values, and can be undone", async () => {
  const { digest, apply, inForce, asked, details, list, ask, clock } = await previewed();
  const applied = await during(apply(digest), () => inForce(CHANGED));
  assert.ok(applied.ok, JSON.stringify(applied));
  const [keys, until] = [["limits.mail.per_minute"], isoTime(later(clock.now(), 15 * MINUTE_MS))];
  assert.deepEqual(applied.result, { changed: keys, detail: "", restarts: [], undoUntil: until, recorded: true });
  const sha256 = createHash("sha256").update(FILE).digest("hex");
  assert.deepEqual(asked, [{ verb: "change_settings", changes: CHANGES, digest: sha256 }]);
  assert.deepEqual(details(), ["limits.mail.per_minute = 20, was 10 by root"]);
  clock.advance(15 * MINUTE_MS);
  assert.deepEqual((await list()).undo, { until, keys, by: "root" });
  clock.advance(1);
  assert.equal((await list()).undo, null);
  clock.advance(-15 * MINUTE_MS);
  assert.match(refusalOf(await ask({ verb: "settings_undo", digest })), /edited since then/, "in its earlier state");
  const undo = ask({ verb: "settings_undo", digest: (await list()).digest });
  assert.ok((await during(undo, () => inForce(FILE))).ok);
  const changed = createHash("sha256").update(CHANGED).digest("hex");
  assert.deepEqual(asked.at(-1), { verb: "undo_settings", digest: changed });
  assert.equal(details().at(-1), "undone: limits.mail.per_minute = 10, was 20 by root");
  assert.equal((await list()).undo, null);
});

test("a program that reads a changed setting only at its start is restarted", async () => {
  const { digest, apply, given, asked } = await previewed();
  const changed = ["limits.mail.per_minute", "bans.memory"];
  const applied = await during(apply(digest), () => (given.reloaded = { ok: true, changed }));
  assert.partialDeepStrictEqual(applied, { result: { changed, restarts: ["web"] } });
  assert.deepEqual(asked.at(-1), { verb: "restart", service: "web" });
});

test("a file that was edited since the preview, or has unapplied edits, is not changed", async () => {
  const { digest, apply, given, asked, ask } = await previewed();
  given.settingsText = `${FILE}# mine\n`;
  assert.match(refusalOf(await apply(digest)), /edited since then/);
  given.settingsText = FILE;
  given.reloaded = { ok: true, changed: ["ports.smtp"] };
  assert.match(refusalOf(await apply(digest)), /not applied yet: ports\.smtp/);
  assert.match(refusalOf(await ask({ verb: "settings_undo", digest })), /not applied yet/);
  assert.deepEqual(asked, []);
});

test("the keeper's refusal is reported, recorded as not done, and cannot be undone, even if the file is edited in the meantime", async () => {
  for (const text of [FILE, `${FILE}# mine\n`]) {
    const { digest, apply, given, details, list } = await previewed();
    given.keeperUp = false;
    const refused = await during(apply(digest), () => (given.settingsText = text));
    assert.match(refusalOf(refused), /^Nothing was changed: no answer\.$/);
    const says = "limits.mail.per_minute = 20, was 10 by root";
    assert.deepEqual(details(), [says, `not done: ${says}`]);
    assert.equal((await list()).undo, null);
  }
});

test("if the keeper did not answer, the record says that it may have written the file, or may still write it", async (t) => {
  for (const text of [FILE, CHANGED]) {
    const { digest, apply, keeper, details, given } = await previewed();
    t.mock.method(keeper, "ask", () => Promise.resolve({ ok: false, reason: "no answer", mayBeDone: true }));
    const reply = await during(apply(digest), () => (given.settingsText = text));
    assert.match(refusalOf(reply), /^The change may or may not be in force: no answer\.$/);
    assert.partialDeepStrictEqual(reply, { mayBeDone: true });
    const says = "limits.mail.per_minute = 20, was 10 by root";
    assert.deepEqual(details(), [says, `perhaps: ${says}`]);
  }
});

test("a file that the keeper wrote and the guard could not load may be in force", async () => {
  const { digest, apply, given } = await previewed();
  const applied = await during(apply(digest), () => (given.reloaded = { ok: false, reason: "It cannot be read." }));
  const message = "Not everything is in force: It cannot be read.";
  assert.partialDeepStrictEqual(applied, { message, mayBeDone: true });
});

test("a change without effect, or an invalid one, does not reach the keeper", async () => {
  const { digest, apply, asked } = await previewed();
  const refused = async (key: string, value: string) => refusalOf(await apply(digest, [{ key, value }]));
  assert.match(await refused("limits.mail.per_minute", "10"), /^Nothing to change/);
  assert.match(await refused("http.names", '["evil.example"]'), /cannot be changed/);
  assert.match(await refused("limits.mail.per_minute", "0"), /must be a whole number/);
  assert.deepEqual(asked, []);
});

test("for a file with mistakes the web sees their positions, but no values", async () => {
  const text = `${FILE}alerts.email = ["owner@@home.example"]\ntls.key = "foo bar/S3CRET.key"\nalerts.T0KEN = 1\n`;
  const { ask } = kit(text, { GHOSTINBOX_ALERTS__RELAY_PASSWORD_FILE: "S3CRET b" });
  const places = "line 5, line 3 (alerts.email), line 4 (tls.key), GHOSTINBOX_ALERTS__RELAY_PASSWORD_FILE";
  for (const command of [...LOOKS, { verb: "settings_undo", digest: "0".repeat(64) }] as const) {
    const reply = await ask(command);
    assert.equal(refusalOf(reply), `The settings file has mistakes: ${places}.`);
    assert.doesNotMatch(JSON.stringify(reply), /S3CRET|T0KEN|home\.example|foo/);
  }
  const { ask: askPending, given } = kit();
  given.reloaded = { ok: false, reason: 'alerts.email must be an address, not "owner@@home.example".' };
  const asked = await askPending({ verb: "settings_list" });
  assert.equal(refusalOf(asked), "The settings file has mistakes: the file as a whole.");
});

test("the second of two concurrent changes finds the file edited, and is recorded as not done", async () => {
  const { digest, apply, inForce, asked, details } = await previewed();
  const both = Promise.all([apply(digest), apply(digest)]);
  const [first, second] = await during(both, () => inForce(CHANGED));
  assert.ok(first.ok);
  assert.match(refusalOf(second), /edited since then/);
  assert.deepEqual([asked.length, details().length], [1, 1]);
});

test("a change that cannot be recorded is neither made nor undone", async () => {
  const { digest, apply, fillDisk, asked, ask } = await previewed();
  fillDisk();
  assert.match(refusalOf(await apply(digest)), /could not be written, so nothing was changed/);
  assert.match(refusalOf(await ask({ verb: "settings_undo", digest })), /could not be written, so nothing was changed/);
  assert.deepEqual(asked, []);
});

test("settings are listed, and changes previewed, at most 30 times a minute", async () => {
  const { list, preview, ask, clock } = kit();
  for (let i = 0; i < 30; i++) await Promise.all([list(), preview()]);
  for (const command of LOOKS) assert.match(refusalOf(await ask(command)), /30 times within a minute/);
  clock.advance(MINUTE_MS);
  await list();
  assert.deepEqual((await preview()).problems, []);
});

test("a record has each value before and after, only the first part of a long one, and only the key of further ones", () => {
  const names = Array.from({ length: 20 }, (_, i) => `"name-${i}"`).join(", ");
  const changes = [...CHANGES, { key: "recipients.blocked", value: `[${names}]` }];
  const changed = changeFile('domains = ["example.org"]\n', changes, {});
  assert.ok(changed.ok);
  const says = recordOf(valuesOf(changed), ["limits.mail.per_minute"]);
  assert.match(says, /^limits\.mail\.per_minute = 20, was 10; recipients\.blocked = \["name-0", .{69}…, was \[/);
  assert.match(recordOf(undone(valuesOf(changed)), []), /^limits\.mail\.per_minute = 10, was 20; /);
  assert.equal(recordOf([], ["limits.mail.per_minute"]), "limits.mail.per_minute");
});

test("a file that cannot be read changes nothing, and says so", async () => {
  const { engine, rows } = commandsOnMemory();
  const broken = () => ({ ok: false, reason: "Line 1 is not TOML." }) as const;
  const says = { message: broken().reason, next: "`config check` lists every problem." };
  assert.deepEqual(pending({ pending: broken }), { ok: false, kind: "failed", ...says });
  assert.deepEqual(await reload({ reload: broken, engine }, "root"), { ok: false, kind: "failed", ...says });
  assert.equal(rows(), 0);
});
