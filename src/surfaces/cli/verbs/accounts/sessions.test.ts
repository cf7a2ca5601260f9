import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { ghostinbox, guardOfSuite, json, PASSWORD, TIMED } from "../../../../../test/kit/test-guard.ts";
import { parseAccountName } from "../../../../core/net/address.ts";
import { parseIp } from "../../../../core/net/ip.ts";
import { instant } from "../../../../core/time.ts";
import { SqliteSessions } from "../../../../store/accounts-db/sessions.ts";
import { openAccounts } from "../../../../store/open.ts";

const IP = parseIp("203.0.113.7") ?? assert.fail();

describe("sessions and tokens on the command line", TIMED, () => {
  const { layout } = guardOfSuite();
  before(async () => {
    using accounts = openAccounts(layout.accountsDb);
    const sessions = new SqliteSessions(accounts);
    const now = instant(Date.now());
    for (const id of ["0a0a0a0a0a0a", "0b0b0b0b0b0b", "0c0c0c0c0c0c"])
      sessions.open({ digest: id, id, account: null, device: "Firefox on Linux", ip: IP, at: now });
    const [anna, id] = [parseAccountName("anna@example.org"), "0e0e0e0e0e0e"];
    sessions.open({ digest: id, id, account: anna, device: "Firefox on Linux", ip: IP, at: now });
  });

  test("sessions are listed and ended, one or all; a new password ends them too", async () => {
    const listed = async () => (await ghostinbox(layout, ["session", "list"])).out;
    assert.match(
      await listed(),
      /^SESSION +OF +USED +SINCE +FROM +DEVICE\n0a0a0a0a0a0a +the administrator .* 203\.0\.113\.7 +Firefox on Linux/,
    );
    assert.match(await listed(), /\n0e0e0e0e0e0e +anna@example\.org .* Firefox on Linux/);
    const [first, rest] = [
      ["--limit", "1"],
      ["--limit", "9"],
    ].map((options) => ghostinbox(layout, ["session", "list", ...options]));
    assert.match((await first)?.out ?? "", /… and 3 more/);
    assert.doesNotMatch((await rest)?.out ?? "", /more/);
    assert.match((await ghostinbox(layout, ["session", "end", "0e0e0e0e0e0e"])).out, /0e0e0e0e0e0e has ended/);
    assert.doesNotMatch(await listed(), /anna@example/);
    assert.match((await ghostinbox(layout, ["session", "end", "0b0b0b0b0b0b"])).out, /0b0b0b0b0b0b has ended/);
    assert.doesNotMatch(await listed(), /0b0b/);
    assert.equal((await ghostinbox(layout, ["session", "end", "0b0b0b0b0b0b"])).code, 1);
    for (const wrong of [[], ["0a0a0a0a0a0a", "--all"]])
      assert.equal((await ghostinbox(layout, ["session", "end", ...wrong])).code, 2);
    assert.match((await ghostinbox(layout, ["session", "end", "--all"])).out, /^2 sessions ended\./);
    assert.match(await listed(), /No one is signed in/);
  });

  test("a token says what it may do, until when, and when it was used", async () => {
    const made = json(
      await ghostinbox(layout, ["token", "create", "grafana", "--scope", "viewer", "--expires", "90d", "--json"]),
    );
    assert.ok(typeof made === "object" && made !== null && "scopes" in made);
    assert.deepEqual(made.scopes, ["read"]);
    await ghostinbox(layout, ["token", "create", "ci"]);
    await ghostinbox(layout, ["token", "create", "all", "--scope", "owner"]);
    const { out } = await ghostinbox(layout, ["token", "list"]);
    assert.match(out, /^TOKEN +SCOPES +EXPIRES +USED +CREATED +BY\nall +everything +never +never /);
    assert.match(out, /\nci +read,ban,allow,greylist +never +never /);
    assert.match(out, /\ngrafana +read +20\d\d-\d\d-\d\d .* never /);
    for (const [option, value] of [
      ["--scope", "root"],
      ["--expires", "soon"],
    ] as const)
      assert.equal((await ghostinbox(layout, ["token", "create", "x", option, value])).code, 2, option);
  });

  test("a new password ends every session", async () => {
    const accounts = openAccounts(layout.accountsDb);
    new SqliteSessions(accounts).open({
      digest: "d",
      id: "0d0d0d0d0d0d",
      account: null,
      device: "x",
      ip: IP,
      at: instant(Date.now()),
    });
    const changed = await ghostinbox(layout, ["admin", "passwd", "--password-stdin"], `${PASSWORD} 7\n`);
    assert.equal(changed.code, 0, changed.err);
    assert.match((await ghostinbox(layout, ["session", "list"])).out, /No one is signed in/);
    accounts.close();
  });
});
