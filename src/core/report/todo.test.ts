import assert from "node:assert/strict";
import { test } from "node:test";
import { reportFacts } from "../../../test/kit/report-facts.ts";
import { DAY_MS, instant, isoTime } from "../time.ts";
import type { ReportFacts } from "./figures.ts";
import { todoOf } from "./todo.ts";

const GB = 1024 ** 3;
const usual = reportFacts();
const { backups, accounts } = usual;
const certificate = usual.certificate.known ? usual.certificate : assert.fail();
const disk = usual.disk.known ? usual.disk : assert.fail();

function growing(bytesPerDay: number): ReportFacts["disk"] {
  const ours = { logBytes: 0, databaseBytes: 0 };
  const usedAt = (i: number): number => 40 * GB - (10 - i) * bytesPerDay;
  const history = Array.from({ length: 10 }, (_, i) => ({ day: `2026-11-${10 + i}`, usedBytes: usedAt(i), ...ours }));
  return { ...disk, history };
}

function updates(isSecurity: boolean, isImage = false): ReportFacts["updates"] {
  return { known: true, listsAt: usual.to, isImage, packages: [{ name: "one", version: "3", isSecurity }] };
}

const tried = (failed: number, name = "anna@example.org") => ({ triedNames: [{ name, failed, isAccount: true }] });
const PASSED = { mails: 1, connections: 1, isBanned: false };
const refused = (signIns: number, ip = "203.0.113.9") => ({ addresses: [{ ip, signIns, ...PASSED }] });
const unused = (...names: readonly string[]) => ({
  accounts: { ...accounts, unused: names.map((name) => ({ name, lastSignInAt: null })) },
});
const validTo = (at: string, isOwn = true) => {
  const dueAt = isoTime(instant(Date.parse(at) - 14 * DAY_MS));
  return { certificate: { ...certificate, validTo: at, dueAt, isOwn } };
};
const backup = (changes: Partial<ReportFacts["backups"]>) => ({ backups: { ...backups, ...changes } });
const backedUp = (at: string) => backup({ last: { at, mails: 1, bytes: 1, place: "/srv" } });
const drilled = (at: string, reason: string | null = null) => backup({ drill: { at, tookMs: 1, mails: 1, reason } });
const LYNIS = { known: true, at: usual.to, index: 60, suggestions: 0 } as const;
const WARNING = { test: "X-1", says: "Bad." };
const SHOWN = "openssl x509 -noout -subject -dates -in ";
const UPGRADE = "apt-get update && apt-get --with-new-pkgs upgrade";
const REBUILD = "docker compose build --pull --no-cache && docker compose up -d";
const listed = (listsAt: string) => ({ updates: { known: true, listsAt, isImage: false, packages: [] } as const });

test("on a quiet server there is nothing to do", () => assert.deepEqual(todoOf(usual), []));

for (const [what, changes, command] of [
  ["a certificate that ends soon", validTo("2026-11-30T00:00:00.000Z", false), `${SHOWN}/srv/mail/tls/cert.pem`],
  ["no certificate", { certificate: { known: false, reason: "None." } }, "./ghostinbox config apply"],
  ["a disk that fills up", { disk: growing(3e9) }, "du -xDh --max-depth=2 /srv/mail | sort -h | tail"],
  ["no backup", backup({ last: null }), "./ghostinbox backup create"],
  ["a key that was never shown", backup({ isKeySeen: false }), "./ghostinbox backup key"],
  ["a drill that failed", drilled("2026-11-02T05:00:00.000Z", "a pack is damaged"), "./ghostinbox backup drill"],
  ["no drill", backup({ drill: null }), "./ghostinbox backup drill"],
  ["a security update", { updates: updates(true) }, UPGRADE],
  ["an update of the image", { updates: updates(true, true) }, REBUILD],
  ["another update", { updates: updates(false) }, UPGRADE],
  ["old package lists", listed("2026-11-01T00:00:00.000Z"), "apt-get update"],
  ["a warning of Lynis", { hardening: { ...LYNIS, warnings: [WARNING] } }, "lynis show details X-1"],
  ["no debsecan", { holes: { known: false, isInstalled: false, reason: "-" } }, "apt-get install debsecan"],
  ["a guessed account", tried(400, "o'neil@example.org"), "./ghostinbox why --account 'o'\\''neil@example.org'"],
  ["an address that continues", refused(900, "2001:db8::1"), "./ghostinbox why 2001:db8::1"],
  ["an unused account", unused("old@example.org"), "./ghostinbox account suspend old@example.org"],
] as const satisfies readonly (readonly [string, Partial<ReportFacts>, string])[])
  test(`${what} is one task`, () => {
    const commands = todoOf(reportFacts(changes)).map((todo) => todo.command);
    assert.deepEqual(commands, [command]);
  });

test("unknown names, banned addresses and a slowly growing disk are not mentioned", () => {
  const triedNames = [{ name: "admin", failed: 4_000, isAccount: false }];
  const addresses = [{ ip: "203.0.113.7", signIns: 9_000, mails: 0, connections: 0, isBanned: true }];
  assert.deepEqual(todoOf(reportFacts({ triedNames, addresses, disk: growing(1e6) })), []);
});

const silent = { code: "web_silent", says: "The dashboard does not answer.", detail: "", isCritical: false };

test("each task has its limit, and says what is wrong", () => {
  for (const [changes, what] of [
    [tried(99), ""],
    [tried(100), "100 sign-ins to anna@example.org failed: see from where."],
    [refused(497), ""],
    [refused(498), "203.0.113.9 was refused often, and is not banned now."],
    [validTo("2026-12-04T08:00:00.000Z"), ""],
    [validTo("2026-12-04T07:59:59.999Z"), "The TLS certificate expires in 13 days. A restart renews it."],
    [validTo("2026-11-20T07:59:59.999Z"), "The TLS certificate has expired. A restart renews it."],
    [{ disk: growing(2 * GB) }, ""],
    [{ disk: growing(2.001 * GB) }, "The disk will be full on 2026-12-20 at this rate: see what uses the space."],
    [backedUp("2026-11-17T08:00:00.001Z"), ""],
    [backedUp("2026-11-17T08:00:00.000Z"), "The last backup is old."],
    [backup({ last: null }), "No backup exists yet."],
    [backup({ isOn: false, failure: { at: usual.to, reason: "no room" } }), ""],
    [drilled("2026-10-14T08:00:00.000Z"), ""],
    [drilled("2026-10-13T08:00:00.000Z"), "Check that the backups can be restored."],
    [listed("2026-11-13T08:00:00.001Z"), ""],
    [listed("2026-11-13T08:00:00.000Z"), "apt has not asked for updates for 7 days."],
    [unused("a@b.test"), "a@b.test has not been used for 90 days: suspend unneeded accounts."],
    [unused("a@b.test", "", ""), "a@b.test (and 2 more) has not been used for 90 days: suspend unneeded accounts."],
    [{ notices: [silent] }, "The dashboard does not answer."],
    [{ notices: [silent, silent, silent] }, "The dashboard does not answer. And 2 more tasks."],
  ] as const) {
    const tasks = todoOf(reportFacts(changes));
    assert.equal(tasks.map((task) => task.what).join("\n"), what);
  }
});
