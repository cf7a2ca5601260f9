import assert from "node:assert/strict";
import { appendFileSync, utimesSync } from "node:fs";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { net } from "../../../test/kit/samples.ts";
import { searchedLogs } from "../../../test/kit/searched-logs.ts";
import { seeded } from "../../../test/kit/test-database.ts";
import { instant } from "../../core/time.ts";
import { compressFile } from "../../host/root-files/copies.ts";
import { writeIndex } from "../../mail/logs/keep-logs.ts";
import { LONGEST_SEARCHED } from "../../mail/logs/log-index.ts";
import { packLog } from "../../mail/logs/packed-log.ts";

const FIRST_MS = new Date(2026, 10, 20, 8).getTime();

function randomFrom(seed: number): (below: number) => number {
  const next = seeded(seed);
  return (below) => Math.floor(next() * below);
}

const SHORT = ["::1", "0:1:2:3:4:5:6:7"];
const WRITTEN_4 = ["198.51.100.7", "198.51.100.70", "198.51.101.7", "::ffff:198.51.100.7", "0:0::FFFF:c633:6407"];
const WRITTEN_6 = ["2001:db8::7", "2001:DB8:0:0:0::7", "2001:0db8::7:", "[IPv6:2001:db8::7]", "2001:db8:1::7"];
const ADDRESSES = [...WRITTEN_4, ...WRITTEN_6, ...SHORT];
const NETWORKS_4 = ["198.51.100.7", "198.51.100.0/24", "198.51.0.0/16", "198.0.0.0/7", "0.0.0.0/0", "192.0.2.9"];
const NETWORKS_6 = ["2001:db8::7", "2001:db8::/64", "2001:db8::/32", "2000::/3", "2001:db8:0:1::/64", "::/0"];
const NETWORKS = [...NETWORKS_4, ...NETWORKS_6, ...SHORT];

/** Mostly lines without an address that is searched for, as in a real log. */
function textOf(random: (below: number) => number, from: number, lines: number, isUtc: boolean): string {
  let at = from;
  const stamp = (): string => {
    at += random(3) * 500;
    if (isUtc) return new Date(at).toISOString().replace("T", "_").replace("Z", "00");
    const [, month = "", day = "", , time = ""] = new Date(at).toString().split(" ");
    return `${month} ${String(Number(day)).padStart(2)} ${time}`;
  };
  return Array.from({ length: lines }, (_, n) => {
    const words = [`w${random(1_000)}`, "72CED1EABE5", "Anna@example.org", "é\u212a", "x".repeat(50), "y".repeat(200)];
    const address = random(60) === 0 ? (ADDRESSES[random(ADDRESSES.length)] ?? "") : `10.${random(9)}.${random(9)}.1`;
    const line = `${words[random(words.length)]} [${address}]:25 ${words[random(words.length)]}`;
    if (n > 0 && random(40) === 0) return ` goes on ${line}`;
    if (random(400) === 0) return `${stamp()} ${"z".repeat(LONGEST_SEARCHED - 40 + random(60))} ${line}`;
    return random(900) === 0 ? `${stamp()} ${"z".repeat(100_000)} ${line}` : `${stamp()} mail ${line}`;
  }).join("\n");
}

test("an index never changes an answer: the same lines in the same order as a search without one", async () => {
  for (let seed = 1; seed <= 2; seed += 1) {
    const logs = searchedLogs();
    const random = randomFrom(seed);
    const hour = (n: number): number => FIRST_MS + n * 3_600_000;
    const lines = (n: number, isUtc = false): string => textOf(random, hour(n), 300 + random(600), isUtc);
    logs.put("mail/mail.log.20261119-010000.gz", gzipSync(`${lines(0)}\n`), hour(1));
    const packed = logs.put("mail/mail.log.20261119-020000", `${lines(1)}\n`, hour(2));
    const pack = packLog((blocks) => writeIndex(`${packed}.gz`, blocks ?? []));
    await compressFile(packed, pack);
    logs.put("mail/mail.log.20261119-030000", `${lines(2)}\n`, hour(3));
    logs.put("mail/mail.log", lines(3), hour(4));
    logs.put("guard/@400000006720a1b2c3d4e5f6.s", `${lines(1, true)}\n`, hour(2));
    logs.put("guard/current", `${lines(3, true)}\n`, hour(4));
    await logs.look();
    for (const round of ["with", "partly"]) {
      if (round === "partly") {
        appendFileSync(logs.mail, `\n${lines(4)}`);
        utimesSync(logs.mail, hour(5) / 1_000, hour(5) / 1_000);
      }
      for (const text of NETWORKS) {
        const network = net(text);
        const limit = 1 + random(random(2) === 0 ? 20 : 1_000);
        const since = random(3) === 0 ? instant(hour(random(5))) : null;
        const grep = [null, null, "w7", "goes ON", "K", "É"][random(6)] ?? null;
        const query = { network, since, grep };
        assert.deepEqual(await logs.find(query, limit), logs.plain(query, limit), `${seed} ${round} ${text} ${grep}`);
      }
      for (const query of [{}, { grep: "k" }, { account: "anna@example.org" }, { queueId: "72CED1EABE5", grep: "é" }])
        assert.deepEqual(await logs.find(query, 300), logs.plain(query, 300), `${seed} ${JSON.stringify(query)}`);
    }
  }
});
