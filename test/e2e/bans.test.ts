import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Stats } from "../../src/admin/declare/items.ts";
import { patience } from "../kit/patience.ts";
import { whileBusy } from "../lab/commands.ts";
import type { Host } from "../lab/host.ts";
import { limitsTests } from "../lab/limits-tests.ts";
import {
  ANNA,
  assertCutOff,
  authenticate,
  mailOver,
  openImap,
  openImapAs,
  openSmtp,
  openSubmission,
  serverFor,
  tryLogIn,
} from "../lab/mail.ts";
import { mailTests } from "../lab/mail-tests.ts";
import { SERVER } from "../lab/network.ts";
import type { Product } from "../lab/product.ts";
import { until } from "../lab/wait.ts";
import { needsLab, withProduct } from "../lab/with-product.ts";

describe("mail, its limits, and bans of attackers", needsLab(), () => {
  const { lab, product } = withProduct({}, [ANNA]);

  describe("mail in and out", () => mailTests({ lab, product }));
  describe("limits at the edge", () => limitsTests({ lab, product }));

  // Dovecot refuses after two seconds, so these run concurrently.
  describe("password guessing", { concurrency: true }, () => {
    for (const [door, from, others] of [
      ["imap", "198.51.100.200", "198.51.100.200"],
      ["imap", "2001:db8:a000:1::1", "2001:db8:a000:1:ffff::2"],
      ["submission", "198.51.100.201", "198.51.100.201"],
      ["submission", "2001:db8:a000:2::1", "2001:db8:a000:2:ffff::2"],
    ] as const)
      test(`five different passwords by ${door} from ${from}: banned everywhere`, async () => {
        const open = await openImap(lab.attacker, from);
        for (let i = 1; i <= 4; i++) assert.ok(await guess(lab.attacker, from, door, `wrong ${i}`));
        assert.equal(await product.banOf(prefixOf(from)), undefined, "four failures do not ban");
        await guess(lab.attacker, from, door, "wrong 5");
        await open.closed(3_000);
        for (const [address, port] of [
          [from, 25],
          [others, 993],
          [others, 587],
        ] as const)
          assert.deepEqual(
            await lab.attacker.connect({ from: address, to: serverFor(address), port, timeoutMs: 700 }),
            { ok: false, code: "ETIMEDOUT" },
            "its next packet is dropped",
          );
        await sameBanEverywhere(product, prefixOf(from), "login_failures", "light");
      });
  });

  test("a stranger's eleventh mail within a minute brings the ban, however busy the processors are", async () => {
    const from = "198.51.100.203";
    await whileBusy(async () => {
      for (const count of [5, 5]) {
        using dialog = await openSmtp(lab.attacker, from);
        for (let i = 1; i <= count; i++) assert.equal((await mailOver(dialog, {})).code, 250, `mail ${i}`);
      }
      const dialog = await openSmtp(lab.attacker, from);
      const eleventh = await mailOver(dialog, {});
      assertCutOff(eleventh);
      const said = eleventh.lines.join();
      assert.doesNotMatch(said, /limit|ban|10|11|ghost/i, "a stranger learns no mechanism and no count");
      await dialog.closed(3_000);
    });
    await sameBanEverywhere(product, from, "mail_limit", "light");
  });

  test("the twenty-first connection within a minute, on any port, brings the ban, however busy the processors are", async () => {
    const from = "198.51.100.204";
    await whileBusy(async () => {
      for (let i = 1; i <= 20; i++) {
        const port = ([25, 587, 465] as const)[i % 3] ?? 25;
        using dialog = await (port === 25 ? openSmtp(lab.attacker, from) : openSubmission(lab.attacker, from, port));
        assert.match(dialog.transcript.join("\n"), /^S: 220/m, `connection ${i}`);
      }
      await lab.attacker.reaches({ from, to: SERVER.v4, port: 25 });
    });
    await until("the ban stands", () => product.banOf(from));
    await sameBanEverywhere(product, from, "connection_limit", "light");
  });

  test("the administrator bans and lifts, and both take effect at once", async () => {
    const from = "198.51.100.210";
    const open = await openImap(lab.attacker, from);
    await product.json(["ban", from, "looked", "suspicious", "--for", "2h"]);
    await open.closed(3_000);
    await sameBanEverywhere(product, from, "manual", "manual");
    await product.json(["unban", from]);
    await until("it may come again", () => lab.attacker.reaches({ from, to: SERVER.v4, port: 25, timeoutMs: 500 }));
    // Another set of the table may hold the address because it counts open connections.
    const banned = await lab.server.mustExec(["nft", "list", "set", "inet", "ghostinbox", "ban4"]);
    assert.doesNotMatch(banned, new RegExp(RegExp.escape(from)));
  });

  test("turning the firewall off removes all bans from the kernel, and turning it on restores them", async () => {
    const from = "198.51.100.203";
    const reachesServer = () => lab.attacker.reaches({ from, to: SERVER.v4, port: 993, timeoutMs: 500 });
    const isThere = async () => (await lab.server.exec(["nft", "list", "table", "inet", "ghostinbox"])).code === 0;
    assert.deepEqual([await isThere(), await reachesServer()], [true, false]);
    await product.configure("firewall.enabled", "false");
    await until("its packets arrive", reachesServer);
    assert.equal(await isThere(), false);
    assert.equal((await product.banOf(from))?.code, "mail_limit", "the ban stands; the mail servers hold it");
    const open = await openImapAs(lab.sender, "198.51.100.65", ANNA);
    await product.does(["ban", "198.51.100.65"]);
    await open.closed();
    await product.configure("firewall.enabled", "true");
    await until("its packets are dropped again", async () => !(await reachesServer()));
  });
});

/** Makes a guess. Returns whether the answer came before the ban cut the connection. */
async function guess(host: Host, from: string, door: "imap" | "submission", password: string): Promise<boolean> {
  if (door === "imap") return (await tryLogIn(host, from, ANNA, password)) !== "";
  using dialog = await openSubmission(host, from);
  return (await authenticate(dialog, ANNA, password)).code !== 0;
}

/** Checks that command line, API, database and firewall show the same reason and expiry. */
async function sameBanEverywhere(product: Product, subject: string, code: string, level: string): Promise<void> {
  const ban = await until(`${subject} is banned`, () => product.banOf(subject));
  assert.deepEqual([ban.code, ban.level], [code, level]);
  const expires = Date.parse(ban.expiresAt ?? "");

  const stats = (await product.api("GET", "/api/security?action=stats")).json() as Stats;
  const inApi = stats.bans.items.find(({ prefix }) => prefix === ban.prefix);
  assert.deepEqual([inApi?.code, inApi?.expiresAt], [ban.code, ban.expiresAt], "the API");

  const rows = await product.sqlite(
    `SELECT code, expires_at FROM ban WHERE prefix = '${ban.prefix}' AND ended_at IS NULL`,
  );
  assert.deepEqual(rows, [[ban.code, String(expires)]], "the database");
  const seen = await product.sqlite(
    `SELECT action_taken FROM security_events WHERE type = 'BAN' AND details LIKE '${ban.prefix}%' ORDER BY timestamp DESC LIMIT 1`,
  );
  assert.match(seen[0]?.[0] ?? "", new RegExp(ban.expiresAt ?? "never"), "the view security_events");

  const network = ban.prefix.slice(0, ban.prefix.indexOf("/"));
  const element = await until("the firewall has it", async () =>
    new RegExp(`[ {]${RegExp.escape(network)} [^,}]*expires ([0-9dhms]+)`).exec(await product.firewall()),
  );
  const leftMs = durationMs(element[1] ?? "");
  assert.ok(Math.abs(Date.now() + leftMs - expires) < patience(3_000), `the firewall: ${element[0]}, ${ban.expiresAt}`);
}

/** `29m58s512ms` as nft prints it. */
function durationMs(text: string): number {
  const units: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };
  return Array.from(text.matchAll(/(\d+)(ms|[dhms])/g)).reduce(
    (sum, [, count, unit]) => sum + Number(count) * (units[unit ?? ""] ?? Number.NaN),
    0,
  );
}

const prefixOf = (ip: string): string => (ip.includes(":") ? `${ip.split(":").slice(0, 4).join(":")}::/64` : ip);
