import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { apiKitOf, bearer } from "../../../../test/kit/api-kit.ts";
import type { FileChanges } from "../../../admin/accounts.ts";
import type { Reply, Verb } from "../../../admin/declare/control.ts";
import { JudgesBusy } from "../ports.ts";
import { MOST_IMPORTED } from "./account-routes.ts";

const ANNA = "anna@example.org";
const WORDS = "seven purple boats";

const kit = apiKitOf(import.meta.filename);
const post = (path: string, body: object) => kit.send("POST", `accounts${path}`, body);
const commands = () => kit.guard.asked.flatMap(({ command, isDry }) => (isDry === true ? [] : [command]));

test("a typed password is judged first and never shown; a generated one is shown once", async (t) => {
  for (const verb of ["account_create", "account_set_password"] as const) kit.guard.answers(verb, { name: ANNA });
  const weak = await post("", { name: ANNA, password: "weak" });
  const next = "Choose another one: several unrelated words make a good one. Or give none, and the server makes one.";
  const problem = { code: "invalid_request", detail: "It is weak.", next };
  assert.partialDeepStrictEqual(weak, { status: 400, answer: problem });
  assert.deepEqual(commands(), []);
  const given = { name: ANNA, password: null };
  assert.deepEqual(await post("", { name: ANNA, password: WORDS }), { status: 201, answer: given });
  assert.deepEqual(await post(`/${ANNA}/password`, { password: WORDS }), { status: 200, answer: given });
  assert.deepEqual(commands(), [
    { verb: "account_create", name: ANNA, password: WORDS },
    { verb: "account_set_password", name: ANNA, password: WORDS },
  ]);
  for (const [path, body] of Object.entries({ "": { name: ANNA }, [`/${ANNA}/password`]: {} })) {
    const { answer } = await post(path, body);
    const [asked] = commands().slice(-1);
    assert.ok(asked !== undefined && "password" in asked && asked.password.length === 23);
    assert.deepEqual(answer, { name: ANNA, password: asked.password });
  }
  t.mock.method(kit.parts.passwords, "judge", () => Promise.reject(new JudgesBusy("too many")));
  const { status, answer } = await post("", { name: ANNA, password: WORDS });
  assert.equal(status, 503, "unjudged, none is set");
  assert.match(JSON.stringify(answer), /The password could not be judged in time/);
});

test("the guard is asked before a password is judged, and a refused one is never judged", async (t) => {
  const judge = t.mock.method(kit.parts.passwords, "judge");
  const judgeSome = t.mock.method(kit.parts.passwords, "judgeSome");
  for (const verb of ["account_create", "account_set_password", "accounts_import"] as const)
    kit.guard.refuses(verb, "", { denied: "proof_needed" });
  for (const [path, body] of [
    ["", { name: ANNA, password: WORDS }],
    [`/${ANNA}/password`, { password: WORDS }],
    ["/import", { file: `${ANNA}|{PLAIN}${WORDS}\n` }],
  ] as const)
    assert.equal((await post(path, body)).status, 403, path);
  assert.deepEqual([judge.mock.callCount(), judgeSome.mock.callCount()], [0, 0]);
});

const HASH = "{SSHA512}c2FsdA==";
const FULL = { ok: false, kind: "failed", message: "The disk is full.", next: "" } as const;
const NOTHING = { changed: [], suspended: [], resumed: [], quotas: [] };
const taken = (added: readonly string[], skipped: FileChanges["skipped"] = []) => ({ ...NOTHING, added, skipped });

const send = (file: unknown) => kit.send("POST", "accounts/import", { file });

/** The guard's answers to the parts of an import, in order. */
function answers(...replies: Reply[]): void {
  const { replies: known } = kit.guard;
  const usual = known.get.bind(known);
  mock.method(known, "get", (verb: Verb) => (verb === "accounts_import" ? replies.shift() : usual(verb)));
}

test("the accounts of a file go to the guard with their hash or password, and the report lists what was skipped", async () => {
  const skipped = { name: "bert@example.org", why: "exists already, so it keeps its password" };
  const added = ["anna@example.org", "cleo@example.org"];
  kit.guard.answers("accounts_import", taken(added, [skipped]));
  const file = [
    "# of the old server",
    `anna@example.org|${HASH}|userdb_quota_rule=*:storage=1G userdb_mail=maildir`,
    "bert@example.org|{PLAIN}weak",
    "cleo@example.org|{PLAIN}weak",
  ].join("\r\n");
  const ignored = [{ line: 2, name: "anna@example.org", fields: ["userdb_mail"] }];
  const weak = [{ name: "cleo@example.org", why: "It is weak." }];
  const answer = { added, skipped: [skipped], ignored, weak, unjudged: [] };
  assert.deepEqual(await send(file), { status: 200, answer });
  const entries = [
    { name: "anna@example.org", hash: HASH, quotaBytes: 1024 ** 3 },
    { name: "bert@example.org", password: "weak" },
    { name: "cleo@example.org", password: "weak" },
  ];
  assert.deepEqual(kit.guard.of("accounts_import"), [{ verb: "accounts_import", entries }]);
});

test("a line that cannot be read, an empty file and one that is too long import nothing", async () => {
  for (const [file, says] of [
    [`anna@example.org|${HASH}\nno line`, /Nothing was imported: 1 line could not be read\. Line 2: there is no \|/],
    ["# nothing", /names no account/],
    [lines(MOST_IMPORTED + 1), /101 accounts, and at most 100 can/],
  ] as const) {
    const { status, answer } = await send(file);
    assert.equal(status, 400, file.slice(0, 40));
    assert.match(JSON.stringify(answer), says);
  }
  assert.equal((await send(7)).status, 400);
  assert.deepEqual(kit.guard.asked, []);
});

test("a long file is sent in parts; if a later one is refused, the answer says how many accounts were imported", async () => {
  kit.guard.answers("accounts_import", taken(["a0@example.org"]));
  assert.equal((await send(lines(60))).status, 200);
  const parts = kit.guard.of("accounts_import").map((asked) => ("entries" in asked ? asked.entries.length : 0));
  assert.deepEqual(parts, [25, 25, 10]);
  const done: Reply = { ok: true, result: taken(["a0@example.org"]) };
  answers(done, FULL, done, { ...FULL, mayBeDone: true });
  const { status, answer } = await send(lines(60));
  assert.equal(status, 409);
  const says = /1 account imported, and then no more: The disk is full\..*Import the file again/;
  assert.match(JSON.stringify(answer), says);
  const headers = { ...bearer, "Idempotency-Key": "a" };
  const post = () => kit.send("POST", "accounts/import", { file: lines(60) }, headers);
  assert.match(JSON.stringify(await post()), /1 account imported, perhaps more: The disk is full\./);
  assert.match(JSON.stringify(await post()), /key_uncertain/);
});

test("if a later part is refused, the passwords of the imported accounts are reported", async (t) => {
  answers({ ok: true, result: taken(["a0@example.org", "a1@example.org"]) }, FULL);
  t.mock.method(kit.parts.passwords, "judgeSome", () => Promise.resolve(["It is weak."]));
  const detail =
    "2 accounts imported, and then no more: The disk is full. Weak passwords: a0@example.org. Passwords not judged: a1@example.org.";
  const sent = await send(lines(30).replaceAll(HASH, "{PLAIN}weak"));
  assert.partialDeepStrictEqual(sent, { status: 409, answer: { detail } });
});

test("passwords that may have been imported are reported too", async (t) => {
  const { passwords } = kit.parts;
  const judge = t.mock.method(passwords, "judgeSome", () => Promise.resolve(["It is weak."]));
  const late: Reply = { ...FULL, mayBeDone: true };
  const file = `a@example.org|{PLAIN}weak\nb@example.org|{PLAIN}weak\nc@example.org|${HASH}`;
  answers(late, { ok: true, result: taken(["a0@example.org"]) }, late, late);
  const detail =
    "0 accounts imported, perhaps more: The disk is full. Weak passwords: a@example.org (if imported). Passwords not judged: b@example.org (if imported).";
  assert.partialDeepStrictEqual(await send(file), { status: 409, answer: { detail } });
  await send(lines(60).replaceAll(HASH, "{PLAIN}weak"));
  const [asked] = judge.mock.calls[1]?.arguments ?? [];
  assert.equal(asked?.length, 26, "the one imported and the 25 of the next part");
  assert.partialDeepStrictEqual((await send(lines(1))).answer, { detail: "The disk is full." });
});

test("a password that could not be judged in time is imported and reported", async (t) => {
  const names = ["a@example.org", "b@example.org", "c@example.org"];
  kit.guard.answers("accounts_import", taken(names));
  const judge = t.mock.method(kit.parts.passwords, "judgeSome", () => Promise.resolve(["It is weak."]));
  const sent = await send(names.map((name) => `${name}|{PLAIN}weak`).join("\n"));
  const weak = [{ name: "a@example.org", why: "It is weak." }];
  const unjudged = ["b@example.org", "c@example.org"];
  assert.partialDeepStrictEqual(sent, { status: 200, answer: { added: names, weak, unjudged } });
  assert.equal(judge.mock.callCount(), 1);
});

function lines(count: number): string {
  return Array.from({ length: count }, (_, i) => `a${i}@example.org|${HASH}`).join("\n");
}
