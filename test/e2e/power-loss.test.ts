// Invariant: An accepted mail, an answered command and each file of ours survive a power failure.

import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { Layout } from "../../src/settings/layout.ts";
import { patience } from "../kit/patience.ts";
import { seeded } from "../kit/test-database.ts";
import { signal } from "../lab/commands.ts";
import { loopDisk, STRICT, whyNoLoopDisk } from "../lab/loop-disk.ts";
import { mailFiles } from "../lab/mailbox.ts";
import { whyNoLab } from "../lab/network.ts";
import type { Product } from "../lab/product.ts";
import { signInsFrom } from "../lab/sign-ins.ts";
import { type UnderLoad, underLoad } from "../lab/under-load.ts";
import { timed, until } from "../lab/wait.ts";
import { withProduct } from "../lab/with-product.ts";

/** Rounds of each kind. For a longer test, set `LOSS_ROUNDS=100`. */
const ROUNDS = Number(process.env["LOSS_ROUNDS"] ?? 2);
const SEED = Number(process.env["CHAOS_SEED"] ?? 20_261_121);
const ACCOUNTS = ["anna@example.test", "bela@example.test"];
/** Maximum mails before the end of a round. */
const MOST_MAILS = 40;
/** Every n-th round ends while the server starts. */
const IN_START = 2;
const START_MS = 6_000;

type End = "kill" | "power";
type Span = Readonly<{ how: End; from: number; to: number }>;

describe("everything ends at once", { skip: whyNoLab() ?? whyNoLoopDisk() ?? false }, () => {
  const { lab, product } = withProduct({}, ACCOUNTS, { prepare: () => disk.mount() });
  const disk = loopDisk(product.layout.data, STRICT);
  const random = seeded(SEED);
  const load = underLoad(product, ACCOUNTS);
  const ends: Span[] = [];
  const { signsIn } = signInsFrom(lab.sender);

  /** Kills all processes of the lab's server at once, or first discards everything that its disk has not flushed. */
  async function endAll(how: End): Promise<void> {
    const from = Date.now();
    if (how === "power") {
      load.losePower();
      disk.cut();
    }
    const stopped = load.stop();
    await until("nothing runs any longer", () => {
      const pids = product.pidsOf(/./);
      for (const pid of pids) signal(pid, "SIGKILL");
      return pids.length === 0;
    });
    await product.stop("SIGKILL");
    await stopped;
    ends.push({ how, from, to: Date.now() });
    if (how === "kill") return;
    // A power failure clears the kernel's tables.
    await lab.server.exec(["nft", "flush", "ruleset"]);
    await disk.restore();
    assertFiles(product.layout, load);
  }

  async function round(how: End, number: number): Promise<void> {
    const mails = load.promised.mails.size + 1 + Math.floor(random() * MOST_MAILS);
    const commands = load.counts.commands + 1;
    const laterMs = random() * 300;
    load.start();
    try {
      const isUnderWay = (): boolean => load.promised.mails.size >= mails && load.counts.commands >= commands;
      await until("some mails were accepted, and a command was answered", isUnderWay);
      await pause(laterMs);
    } finally {
      await endAll(how);
    }
    if (number % IN_START === IN_START - 1) {
      const ended = product.startInVain();
      await pause(random() * START_MS);
      await endAll(how);
      await ended;
    }
    const { ms } = await timed(() => product.start());
    startsMs.push(ms);
    if (how === "kill") assert.ok(ms < patience(15_000), `the start took ${ms} ms`);
    assertFiles(product.layout, load);
    await assertPromised(how);
  }
  const startsMs: number[] = [];

  async function assertPromised(how: End): Promise<void> {
    const { bans, passwords, tokens } = load.promised;
    for (const file of [product.layout.engineDb, product.layout.accountsDb]) {
      assert.deepEqual(await product.sqlite("PRAGMA integrity_check", file), [["ok"]]);
      const aside = readdirSync(dirname(file)).filter((name) => /\.db\.(damaged|replaced|missing)/.test(name));
      assert.deepEqual(aside, [], "no database had to be repaired");
    }
    const inAccounts = (sql: string) => product.sqlite(sql, product.layout.accountsDb);
    expectAll("ban", bans, await product.sqlite("SELECT prefix FROM ban WHERE ended_at IS NULL"));
    expectAll("account", passwords.keys(), await inAccounts("SELECT name FROM account"));
    expectAll("token", tokens, await inAccounts("SELECT name FROM token"));
    await until("the firewall has them all", async () => {
      const there = new Set(Array.from((await product.firewallBans()).matchAll(/([0-9.]+) timeout/g), ([, ip]) => ip));
      return [...bans].every((ban) => there.has(ban.replace("/32", "")));
    });
    // Postfix marks a file as complete before it flushes it (mail_stream.c), so the power may fail in between: that mail was not accepted.
    if (how === "kill")
      assert.deepEqual(readdirSync(join(product.layout.postfixQueue, "corrupt")), [], "a file of the queue is damaged");
    const [name = "", tried = []] = [...passwords].findLast(([, one]) => one.length === 1) ?? [];
    assert.ok(await signsIn(name, tried[0]), `${name} signs in with the last password that was acknowledged`);
  }

  async function assertMails(how: End): Promise<void> {
    const { mails } = load.promised;
    const missing = (found: readonly Stored[]): readonly number[] => {
      const there = new Set(found.map(({ number }) => number));
      return [...mails].filter((number) => !there.has(number));
    };
    let last: readonly number[] = [];
    const isEmpty = async (): Promise<boolean> => {
      await lab.server.exec(["postqueue", "-c", product.layout.postfixConf, "-f"]);
      last = missing(storedMails(product));
      return last.length === 0;
    };
    try {
      await until("the queue has emptied into the mailboxes", isEmpty, 120_000);
    } catch {
      const { stdout } = await lab.server.exec(["postqueue", "-c", product.layout.postfixConf, "-p"]);
      const log = readFileSync(product.layout.mailLog, "utf8").split("\n").slice(-40).join("\n");
      const queue = `the queue and the end of the log:\n${stdout}${log}`;
      assert.deepEqual(last, [], `accepted, and not in its mailbox; ${queue}`);
    }
    const copies = [...Map.groupBy(storedMails(product), ({ number }) => number).values()].filter(
      (all) => all.length > 1,
    );
    const unexplained = copies.filter((all) => !isAcross(all, ends));
    assert.deepEqual(unexplained, [], "delivered twice without an end between");
    const starts = startsMs
      .splice(0)
      .toSorted((a, b) => a - b)
      .map((ms) => `${(ms / 1_000).toFixed(1)} s`);
    const count = ends.filter((end) => end.how === how).length;
    console.log(
      `${how}, seed ${SEED}: ${count} ends; so far ${mails.size} mails accepted and ${load.counts.deferred} not, ${copies.length} ` +
        `delivered twice, ${load.counts.signIns} sign-ins, ${load.counts.commands} commands; starts took ${starts[0]} to ${starts.at(-1)}`,
    );
  }

  test(`kill -9 of every process, ${ROUNDS} times: every promise holds`, async () => {
    for (let number = 0; number < ROUNDS; number++) await round("kill", number);
    await assertMails("kill");
  });

  test(`the power fails, ${ROUNDS} times: every promise holds`, async () => {
    for (let number = 0; number < ROUNDS; number++) await round("power", number);
    await assertMails("power");
    for (const name of ACCOUNTS) assert.ok(await signsIn(name));
  });
});

function expectAll(what: string, promised: Iterable<string>, rows: readonly (readonly string[])[]): void {
  const there = new Set(rows.flat());
  const gone = [...promised].filter((one) => !there.has(one));
  assert.deepEqual(gone, [], `gone: ${what}`);
}

/** Checks that none of our files is empty or incomplete. */
function assertFiles(layout: Layout, { promised }: UnderLoad): void {
  assert.match(readFileSync(layout.settings, "utf8"), /^hostname = .*\n/m);
  const perDay = Number(/^limits\.mail\.per_day = (\d+)$/m.exec(readFileSync(layout.settings, "utf8"))?.[1] ?? 200);
  assert.ok(promised.perDay.includes(perDay), `per_day is ${perDay}, and was set to ${promised.perDay.join()}`);
  assert.match(readFileSync(layout.loginPolicySecret, "utf8"), /^[0-9a-f]{64}\n$/);
  assert.match(readFileSync(layout.proofWord, "utf8"), /^[0-9a-f]{32}\n$/);
  for (const name of readdirSync(layout.dkimKeys))
    assert.match(readFileSync(join(layout.dkimKeys, name), "utf8"), /-----END PRIVATE KEY-----\n$/);
  for (const file of [layout.tlsKey, layout.tlsCert, ...filesBelow(layout.tlsServed)])
    assert.match(readFileSync(file, "utf8"), /-----END [A-Z ]+-----\n$/);
  assert.ok(statSync(layout.firstStartDone).size > 0);
  for (const file of filesBelow(layout.mail).filter((path) => /\/(?:new|cur)\//.test(path))) {
    const mail = readFileSync(file);
    // Dovecot writes the size into the name (`S=`). A block that never reached the disk reads as zeros.
    assert.ok(mail.length === Number(/,S=(\d+)/.exec(file)?.[1]) && !mail.includes(0), `${file} is not whole`);
  }
}

const filesBelow = (directory: string): readonly string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

/** `at`: when it was delivered, by the name of its file. */
type Stored = Readonly<{ number: number; at: number }>;

function storedMails({ layout }: Product): readonly Stored[] {
  const found = ACCOUNTS.flatMap((name) => mailFiles(layout, name)).map((path) => {
    const number = Number(/^Subject: Number (\d+)\.$/m.exec(readFileSync(path, "utf8"))?.[1]);
    const [, seconds, micros] = /^(\d+)\.M(\d+)P/.exec(basename(path)) ?? [];
    return { number, at: Number(seconds) * 1_000 + Number(micros) / 1_000 };
  });
  return found.filter(({ number }) => !Number.isNaN(number));
}

/** Whether the server ended between any two deliveries of a mail: after a delivery, before its removal from the queue. */
function isAcross(copies: readonly Stored[], ends: readonly Span[]): boolean {
  const times = copies.map(({ at }) => at).toSorted((a, b) => a - b);
  return times.every((at, place) => {
    const before = times[place - 1];
    return before === undefined || ends.some(({ from, to }) => before <= to && from <= at);
  });
}
