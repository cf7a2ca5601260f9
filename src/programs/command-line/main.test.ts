import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { ip } from "../../../test/kit/samples.ts";
import {
  dataDirectory,
  ghostinbox,
  ghostinboxProcess,
  guardOfSuite,
  json,
  PASSWORD,
  start,
  startGuard,
  TIMED,
} from "../../../test/kit/test-guard.ts";
import { digestOf } from "../../guard/access/secrets.ts";

describe("with a running guard", TIMED, () => {
  const { layout, run, guard, does, fails } = guardOfSuite();

  test("a ban is made, listed, explained and lifted", async () => {
    const made = await run("ban 203.0.113.7 it scanned us --for 2h");
    assert.equal(made.code, 0, made.err);
    assert.match(made.out, /^203\.0\.113\.7 is banned until .* \(\d h( \d+ min)? left\)\.$/m);
    assert.equal(made.err, "Next: ./ghostinbox why 203.0.113.7\n");
    assert.match(await does("bans"), /^203\.0\.113\.7 +manual .* it scanned us +root$/m);
    const why = await does("why 203.0.113.7");
    assert.match(why, /^Reason: it scanned us\. \[manual\]$/m);
    assert.match(why, /^To lift it: \.\/ghostinbox unban 203\.0\.113\.7$/m);
    assert.match(why, / BAN /);
    await does("unban 203.0.113.7");
    assert.match(await does("why 203.0.113.7"), /^203\.0\.113\.7 is not banned\.$/m);
    await fails("unban 203.0.113.7", /There is no ban on it\. `\.\/ghostinbox bans` lists/);
  });

  test("an allow-listed address is not banned, and the error says why", async () => {
    await does("allow add 198.51.100.0/24 our office");
    await fails("ban 198.51.100.9", /Not banned.*allow list/);
    assert.match(await does("why 198.51.100.9"), /198\.51\.100\.0\/24, "our office", added by root/);
    assert.match(await does("allow list"), /^127\.0\.0\.1 .*settings$/m);
    await does("allow remove 198.51.100.0/24");
    const here = await run("why 127.0.0.1");
    assert.match(here.out, /never banned: allow\.networks has 127\.0\.0\.1\/32\. \[allow_listed\]$/m);
    guard().engine.administratorAt(ip("198.51.100.9"));
    const atWork = await run("why 198.51.100.9");
    assert.match(atWork.out, /not banned just now: An administrator .* \[admin_session\]/, "as the guard says");
    assert.match(await does("why 198.51.100.9 --json"), /"protection": ?"admin_session"/);
  });

  test("accounts: the whole life of one", async () => {
    const add = ["account", "add", "Anna@example.org", "--password-stdin"];
    const added = await ghostinboxProcess(layout, add, `${PASSWORD}\n`);
    assert.equal(added.code, 0, added.err);
    await does("account suspend anna@example.org");
    const commands = ["kick_account", "find_mail", "find_mail"].map((verb) => ({ verb }));
    assert.partialDeepStrictEqual(guard().asked.slice(-3), commands);
    assert.match(await does("account list"), /^anna@example\.org +suspended/m);
    await does("account resume anna@example.org");
    await does("account passwd anna@example.org --password-stdin", "another long one\n");
    await fails("account add anna@example.org --password-stdin", / exists already\. `.*` sets a new password\.$/m);
    await does("alias add info@example.org anna@example.org");
    await does("alias block info@example.org");
    const aliases = json(await run("alias list --json"));
    const info = { address: "info@example.org", targets: ["anna@example.org"], blocked: true };
    assert.deepEqual(aliases, { items: [info], next: null, total: 1 });
    await does("alias unblock info@example.org");
    await does("alias remove info@example.org");
    const unsure = /^There is no terminal to confirm on, so nothing was removed\. Use --yes /;
    await fails("account remove anna@example.org", unsure, { code: 2 });
    await does("account remove anna@example.org --yes");
    assert.deepEqual(json(await run("account list --json")), { items: [], next: null, total: 0 });
    await fails("account suspend anna@example.org", /There is no account/);
    await fails("account passwd anna@example.org --password-stdin", /There is no account/);
  });

  for (const [line, input, code, says] of [
    ["account add anna@example.org --password-stdin", "short\n", 1, /too short.*at least 10/],
    ["admin passwd --password-stdin", "administrator\n", 1, /too easy to guess/],
    ["account add anna@example.org", `${PASSWORD}\n`, 2, /No terminal.*--password-stdin/],
    ["account add anna@elsewhere.example --password-stdin", "short\n", 1, /not a mail domain of this server/],
    ["account add anna --password-stdin", `${PASSWORD}\n`, 2, /cannot be an account/],
    ["account add anna@müller.de --password-stdin", "short\n", 1, /xn--mller-kva\.de is not a mail domain/],
    ["account add a/../b@example.org --password-stdin", `${PASSWORD}\n`, 2, /cannot be an account/],
  ] as const)
    test(`refused: ${line} < ${JSON.stringify(input.slice(0, 20))}`, () => fails(line, says, { input, code }));

  test("status, cleanup, the dashboard's password and new settings", async () => {
    const shown = await does("status");
    assert.match(shown, /^GhostInbox is running\. Up .*\n {2}guard +ok/);
    assert.match(shown, /^! Many addresses were banned within a short time\. 11 networks \(since /m);
    assert.match(shown, /^Alerts go only through this server's own mail queue: .* Set another channel/m);
    assert.match(await does("cleanup"), /No ban has expired/);
    await does("admin passwd --password-stdin", PASSWORD);
    const applied = await run("config apply");
    assert.match(applied.out, /^In force now: limits\.mail\.per_minute, ports\.login_policy\. In force after/);
    const says = /`\.\/ghostinbox restart`: spam\.enabled\. Postfix was reloaded\. Restarted the guard\.$/m;
    assert.match(applied.out, says);
    const digest = digestOf(readFileSync(layout.settings, "utf8"));
    assert.deepEqual(guard().asked.slice(-2), [
      { verb: "apply", digest },
      { verb: "restart", service: "guard" },
    ]);
  });

  test("alerts: each channel's answer to a test, and open and past alerts", async () => {
    const tested = await run("alerts test");
    assert.equal(tested.code, 1);
    const answers = /^email: accepted\nntfy ntfy\.example #0a1b2c: failed: it answered 403\n1 of 2 channels failed\./;
    assert.match(tested.err, answers);
    assert.match((await run("alerts test --json")).out, /"ok": ?false/);
    const listed = await does("alerts list");
    assert.match(listed, /^warning +many_bans +2026-01-01 00:00:00 UTC +open +11 networks\n/m);
    const channels =
      /^They are sent through: email, gotify g\.example #1\.\n! gotify g\.example #1 fails: it answered 503/m;
    assert.match(listed, channels);
  });

  test("events are followed live, strangers' text made harmless, until Ctrl-C", async () => {
    const { child, ended, printed } = start(layout, "./ghostinbox", ["events", "--follow", "--ip", "203.0.113.99"]);
    const login = "\x1b[31mroot";
    const facts = { ip: ip("203.0.113.99"), service: "imap", login, passwordHash: "0f" } as const;
    // Nothing is printed before the first event, so the test sends events until one arrives.
    const timer = setInterval(() => void guard().engine.ask({ type: "LOGIN_FAILED", ...facts }), 50);
    try {
      await printed("LOGIN_FAILED");
    } finally {
      clearInterval(timer);
    }
    child.kill("SIGINT");
    const { code, out } = await ended;
    assert.equal(code, 0);
    assert.match(out, /203\.0\.113\.99 .*login=<\\x1b\[31mroot>/);
    assert.ok(!out.includes("\x1b"));
    assert.equal((await run("events --type login_failed --limit 1 --json")).out.match(/LOGIN_FAILED/g)?.length, 1);
  });
});

describe("when the guard ends", TIMED, () => {
  test("a command that follows events exits with 3", async () => {
    using layout = dataDirectory();
    const guard = await startGuard(layout);
    assert.equal((await ghostinbox(layout, ["ban", "203.0.113.7"])).code, 0);
    const { ended, printed } = start(layout, "./ghostinbox", ["events", "--follow"]);
    await printed("203.0.113.7");
    await guard.stop();
    const { code, err } = await ended;
    assert.equal(code, 3);
    assert.match(
      err,
      /^(The connection to the guard ended|GhostInbox is not running)\. Start it with `\S+ npm start`\.$/m,
    );
  });
});

test("exits once all output is written, even if something that it has given up still runs", TIMED, async (t) => {
  using layout = dataDirectory();
  const hanging = 'data:text/javascript,setInterval(() => 0, 1e6); process.stdout.write("x".repeat(1e6))';
  const argv = ["--import", hanging, "src/programs/command-line/command-line.ts"];
  const { child, ended } = start(layout, process.execPath, [...argv, "--version"]);
  t.after(() => child.kill());
  const { code, out, err } = await ended;
  assert.equal(code, 0, err);
  assert.match(out, /^x{1000000}ghostinbox \S+\n$/);
});
