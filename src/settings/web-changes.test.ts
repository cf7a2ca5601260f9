// Invariant: The web changes only settings of a closed list, which guard and keeper both check.
import assert from "node:assert/strict";
import { test } from "node:test";
import { factsOf, NOON, STRANGER } from "../../test/kit/samples.ts";
import { decideLoginFailed } from "../core/decide/login.ts";
import { banIn } from "../core/decide/sparing.ts";
import { DAY_MS, later, MINUTE_MS } from "../core/time.ts";
import { changeFile } from "./change-file.ts";
import { programsToRestart, waitingForStart } from "./program-settings.ts";
import { settingKeys, settingOf } from "./schema.ts";
import { toPolicy } from "./to-policy.ts";
import { isHiddenFromWeb, whyNotOverWeb } from "./web-changes.ts";

const FILE = 'domains = ["example.org"]\n';
const allowed = settingKeys().filter((key) => whyNotOverWeb(key) === null);

/** What an attacker would write where it is accepted. */
const OUTSIDE = ["evil.example", "[evil.example]:25", "https://evil.example/x", "sftp:evil.example:/x"];
const ADDRESSES = ["203.0.113.7", "203.0.113.0/24", "0.0.0.0/1", "thief@evil.example", "*@evil.example"];
const OF_THE_MACHINE = ["/etc/shadow", "443/tcp", "wg0", "root", "Trash 1s", "00:00-23:59", "off"];
const HARMFUL = [...OUTSIDE, ...ADDRESSES, ...OF_THE_MACHINE];

test("nothing that the web may change takes a file, a program, a host, an address, a network or a URL", () => {
  assert.ok(allowed.length > 60);
  // Mail to these names is refused; any text before an @ may be one.
  const others = allowed.filter((key) => key !== "recipients.blocked");
  const taken = others.flatMap((key) =>
    HARMFUL.flatMap((value) => [value, [value]])
      .filter((value) => settingOf(key).kind.read(value).ok)
      .map((value) => `${key} ${String(value)}`),
  );
  assert.deepEqual(taken, []);
  assert.ok(settingOf("outbound.relay").kind.read("[evil.example]:25").ok, "elsewhere they are taken");
});

test("no setting that the web may change opens a port, grants trust, is a secret or defends the dashboard", () => {
  const away =
    /^(ports|http|proxy|firewall|tls|dns|domains|hostname|profile|allow|logins|accounts|certificates|export|backup|audit|events|logs|retention|detection|simulate|dkim)(\.|$)|dashboard|_file$|(?<!greylist\.)enabled$|sender$|mail$|providers|relay|zones|allow_from|quiet_hours|heartbeat|ipv6_prefix/;
  const risky = allowed.filter((key) => away.test(key) || settingOf(key).secret === true || isHiddenFromWeb(key));
  assert.deepEqual(risky, []);
});

test("each of them takes effect at once, after a restart of the web if needed", () => {
  assert.deepEqual(waitingForStart(allowed), []);
  assert.deepEqual(programsToRestart(allowed), ["web"]);
});

test("every other setting says why, and which text it may not see", () => {
  const others = settingKeys().filter((key) => !allowed.includes(key));
  const says = /^(It|Bans) .+\. Change it on the server: `config set`\.$/;
  for (const key of others) assert.match(whyNotOverWeb(key) ?? "", says, key);
  const seldom = settingKeys().filter((key) => whyNotOverWeb(key)?.startsWith("It rarely needs changing.") === true);
  assert.deepEqual(seldom, ["spam.processes"]);
  const hidden = settingKeys().filter(isHiddenFromWeb);
  const secret = settingKeys().filter((key) => settingOf(key).secret === true || /_file$|^tls\.(cert|key)$/.test(key));
  const personal = ["alerts.email", "alerts.contacts", "accounts.administrator", "outbound.relay_user"] as const;
  for (const key of [...secret, ...personal]) assert.ok(hidden.includes(key), key);
});

test("the web shortens the time that mail waits to a quarter at most", () => {
  for (const [key, value, shorter] of [
    ["outbound.queue_lifetime", '"30h"', '"29h"'],
    ["outbound.bounce_lifetime", '"6h"', '"5h"'],
  ] as const) {
    assert.ok(changeFile(FILE, [{ key, value }], {}).ok, key);
    const refused = changeFile(FILE, [{ key, value: shorter }], {});
    assert.match(refused.ok ? "" : (refused.problems[0]?.says ?? ""), /at least .* here: mail that waits longer/, key);
  }
});

const BOUNDS = [
  { key: "limits.logins.failures", value: "20", looser: "21" },
  { key: "limits.logins.window", value: '"150s"', looser: '"149s"' },
  { key: "limits.logins.per_day", value: "40", looser: "41" },
  { key: "limits.logins.per_week", value: "80", looser: "81" },
  { key: "limits.networks.failures", value: "120", looser: "121" },
  { key: "bans.ladder", value: '["450s"]', looser: '["449s"]' },
];

test("however loose the web makes the limits, guessing at the dashboard is banned for a day", () => {
  const changes = BOUNDS.map(({ key, value }) => ({ key, value }));
  const loosened = changeFile(FILE, changes, {});
  assert.ok(loosened.ok, JSON.stringify(loosened));
  const policy = toPolicy(loosened.after.settings);
  const banAfter = (guesses: number, everyMs: number) => {
    const at = (i: number) => later(NOON, (i + 1 - guesses) * everyMs);
    const failed = (i: number) => ({ at: at(i), passwordHash: `guess ${i}`, account: "" });
    const failures = Array.from({ length: guesses - 1 }, (_, i) => failed(i));
    const event = { ip: STRANGER, service: "dashboard", login: "", passwordHash: "now", type: "LOGIN_FAILED" } as const;
    const ban = banIn(decideLoginFailed(policy, factsOf({ failures }), event, NOON));
    return ban === null ? undefined : (ban.expiresAt ?? Infinity) - NOON;
  };
  assert.ok((banAfter(20, 1_000) ?? 0) >= 450_000);
  assert.equal(banAfter(39, 10 * MINUTE_MS), undefined);
  assert.ok((banAfter(40, 10 * MINUTE_MS) ?? 0) >= DAY_MS);
});

test("over the web, limits on guessing can be made stricter or reset, but not looser", () => {
  const problems = (key: string, value: string | null, text = FILE): readonly string[] => {
    const found = changeFile(text, [{ key, value }], {});
    return found.ok ? [] : found.problems.map(({ says }) => says);
  };
  const others = [
    { key: "bans.ladder", looser: '["7m", "1d"]' },
    { key: "bans.memory", looser: '"1s"' },
    { key: "bans.neighbours", looser: "21" },
  ];
  for (const { key, looser } of [...BOUNDS, ...others])
    assert.match(problems(key, looser)[0] ?? "", /must be at (most|least) \S+ here: .* Change it on the server/, key);
  const loose = `${FILE}limits.logins.failures = 500\n`;
  for (const value of ["1", "20", null]) assert.deepEqual(problems("limits.logins.failures", value, loose), []);
  assert.match(problems("limits.logins.failures", "400", loose)[0] ?? "", /at most 20 here/);
  assert.deepEqual(problems("bans.ladder", '["2h", "7d"]'), []);
});
