import assert from "node:assert/strict";
import { test } from "node:test";
import { connected, script } from "../../../test/kit/script-world.ts";
import { VERSION } from "../../core/version.ts";
import type { Failure } from "./call.ts";
import type { World } from "./run.ts";

/** Runs the program without a guard and returns its output. */
const ran = (line: string, env: NodeJS.ProcessEnv = {}, connect?: World["connect"], width: number | null = null) =>
  script(line.split(" "), { env, width, ...(connect && { connect }) });

const FAILED: Failure = { ok: false, exit: "failed", message: "m", next: "n" };

/** A guard that answers every command with a failure. */
function failing(error: () => Failure): World["connect"] {
  return () => connected({ guard: { ask: async () => error() } });
}

test("the version, for people and for programs", async () => {
  assert.deepEqual(await ran("--version"), { code: 0, out: `ghostinbox ${VERSION}\n`, err: "" });
  assert.deepEqual(JSON.parse((await ran("--version --json")).out), { version: VERSION });
});

test("wrong usage is one line with the relevant help", async () => {
  const { code, out, err } = await ran("account frobnicate");
  assert.deepEqual([code, out], [2, ""]);
  assert.match(err, /^Unknown command "account frobnicate".* See `\.\/ghostinbox help account`\.\n$/);
  for (const [line, problem, topic] of [
    ["bans --limt 3", "Unknown option --limt", "bans"],
    ["account --limt 3", "Unknown option --limt", "account"],
    ["ban 203.0.113.7 --for", "--for needs a value", "ban"],
  ] as const) {
    const says = new RegExp(`^${problem}\\b.* See \`\\./ghostinbox help ${topic}\`\\.\n$`);
    assert.match((await ran(line)).err, says);
  }
});

test("without root the error names the command for root", async (t) => {
  t.mock.property(process, "getuid", () => 1_000);
  for (const line of ["retention show", "firewall rollback"]) {
    const { code, err } = await ran(line);
    assert.deepEqual([code, err], [1, `Only root may use \`${line}\`. Try: sudo ./ghostinbox ${line}\n`]);
  }
  const env = { GHOSTINBOX_DATA: "/srv/by-environment" };
  const given = ["incident", "contain", "anna@example.org", "--since", "2 h"];
  for (const [argv, hint] of [
    [given, "--data /srv/by-environment incident contain anna@example.org --since '2 h'"],
    [[...given, "--data", "/srv/named"], "incident contain anna@example.org --since '2 h' --data /srv/named"],
  ] as const)
    assert.ok((await script(argv, { env })).err.endsWith(` Try: sudo ./ghostinbox ${hint}\n`), hint);
});

test("with --json every failure has the same shape on standard output", async () => {
  const usage = await ran("account frobnicate --json");
  assert.equal(usage.code, 2);
  const message = usage.err.split(" See ")[0];
  const next = "See `./ghostinbox help account`.";
  const wrongUsage = { code: "wrong_usage", exitCode: 2, message, next };
  assert.deepEqual(JSON.parse(usage.out), { ok: false, error: wrongUsage }, "and people read the same");

  const connect = failing(() => ({ ...FAILED, found: { lines: ["- a"], json: { problems: ["a"] } } }));
  const error = { code: "failed", exitCode: 1, message: "m", next: "n" };
  const { out } = await ran("cleanup --json", {}, connect);
  assert.deepEqual(JSON.parse(out), { problems: ["a"], ok: false, error });
  const broken = failing(() => assert.fail("no luck"));
  const says = /"message": "Something unexpected went wrong: no luck\."/;
  assert.match((await ran("cleanup --json", {}, broken)).out, says);
});

test("wraps a list at the width of a terminal, but not elsewhere", async () => {
  assert.ok((await ran("help ban")).out.split("\n").some((line) => line.length > 50));
  for (const line of (await ran("help ban", {}, undefined, 50)).out.split("\n")) assert.ok(line.length <= 50, line);
});

test("wraps the findings of a failed command on a terminal too", async () => {
  const found = { lines: ["missing  TXT  example.org  This is not published, or not as it should be."], json: {} };
  const missing = failing(() => ({ ...FAILED, found }));
  assert.match((await ran("status", {}, missing)).err, /^missing [^\n]* as it should be\.\nm n\n$/);
  assert.match((await ran("status", {}, missing, 50)).err, /^missing [^\n]*\n {4}[^\n]*\nm n\n$/);
});

test("text of strangers cannot control the terminal, and is cut", async () => {
  const { code, err } = await ran(`\x1b[31m${"x".repeat(500)}`);
  assert.equal(code, 2);
  assert.ok(!err.includes("\x1b") && err.length < 200, err);
});

test("an unexpected error is one line, and shows its origin on request", async () => {
  const broken = failing(() => assert.fail("out of\nluck"));
  const short = await ran("cleanup", {}, broken);
  assert.equal(short.code, 1);
  assert.match(short.err, /^Something unexpected went wrong: out of.*luck\. GHOSTINBOX_DEBUG=1 shows where\.\n$/);
  assert.match((await ran("cleanup", { GHOSTINBOX_DEBUG: "1" }, broken)).err, /\n +at .*run\.test\.ts:\d+/);
});

test("the data directory comes from --data, the environment, or the default, in this order", async () => {
  const asked: string[] = [];
  const connect: World["connect"] = (layout) => {
    asked.push(layout.data);
    return failing(() => ({ ...FAILED, exit: "not_running" }))(layout, {});
  };
  const env = { GHOSTINBOX_DATA: "/srv/by-environment" };
  for (const line of ["cleanup --data /srv/named/", "cleanup"]) assert.equal((await ran(line, env, connect)).code, 3);
  await ran("cleanup", { GHOSTINBOX_DATA: "" }, connect);
  assert.deepEqual(asked, ["/srv/named", "/srv/by-environment", "/var/lib/ghostinbox"]);
});

test("closes what a command opened, however it ends", async () => {
  let closed = 0;
  for (const ask of [() => Promise.resolve(FAILED), () => Promise.reject(new Error("out of luck"))])
    await ran("cleanup", {}, () => connected({ guard: { ask }, close: () => (closed += 1) }));
  assert.equal(closed, 2);
});

test("a disk error says what to do about it", async () => {
  const connect = failing(() => {
    throw Object.assign(new Error("EROFS: chown"), { code: "EROFS", path: "/srv/mail" });
  });
  const message = "The disk is mounted read-only (/srv/mail): mount it for writing, then give the command again.";
  assert.deepEqual(await ran("unban 192.0.2.1", {}, connect), { code: 1, out: "", err: `${message}\n` });
  const { out } = await ran("unban 192.0.2.1 --json", {}, connect);
  assert.deepEqual(JSON.parse(out), { ok: false, error: { code: "failed", exitCode: 1, message, next: "" } });
});
