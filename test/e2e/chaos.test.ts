// Invariant: Load gets no one past a limit: without the guard's answer clients must try again, and only while the guard is dead does the stand-in pass everything.
// Invariant: While the firewall is in force, only the guard and its stand-in answer Dovecot about a sign-in, whoever else takes their port.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { WEIGHTS } from "../../src/host/running/runit.ts";
import { AS_NOBODY, whileStopped } from "../lab/commands.ts";
import type { Lab } from "../lab/lab.ts";
import {
  ANNA,
  assertCutOff,
  authenticate,
  logIn,
  openImap,
  openSubmission,
  openSubmissionAs,
  sendMail,
  tryLogIn,
  words,
} from "../lab/mail.ts";
import type { Product } from "../lab/product.ts";
import { REPLAYED_ACCOUNTS, replayTests } from "../lab/replay-tests.ts";
import { until } from "../lab/wait.ts";
import { needsLab, withProduct } from "../lab/with-product.ts";

const KILLS = 20;
const GUARD = /\/guard\.js/;
const STAND_IN = /\/stand-in\.js/;
/** Answers each of Dovecot's questions by accepting the sign-in. */
const SAYS_YES = `require("http").createServer((_, answer) => answer.end('{"status":0,"msg":""}'))
  .listen(10025, "127.0.0.1", () => console.log("listens"))`;

describe("what the guard has committed", needsLab(), () => {
  const { lab, product } = withProduct({}, REPLAYED_ACCOUNTS);

  // First, because nothing else is recorded yet.
  describe("is decided again", () => replayTests({ lab, product }));

  test(`kill -9 of the guard ${KILLS} times in a flood: mail flows, nothing committed is lost`, async () => {
    const regular = "198.51.100.100";
    for (let i = 0; i < 5; i++) await sendMail({ host: lab.sender, from: regular });
    for (let i = 0; i < 11; i++) await sendMail({ host: lab.attacker, from: "198.51.100.230" });
    await until("an attacker is banned before the kills", () => product.banOf("198.51.100.230"));

    const stopFlood = flood(lab);
    const seen: { last: number; rows: number }[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      await until("it has committed since the last kill", async () => {
        const now = await committed(product);
        if (now.last <= (seen.at(-1)?.last ?? 0)) return false;
        seen.push(now);
        return true;
      });
      // Looked up only now, because a slow guard may have been replaced.
      const pid = await product.kill(GUARD);
      await until("the killed one is gone", () => !product.pidsOf(GUARD).includes(pid));
      if (kill === KILLS / 2) await product.cli(["ban", "198.51.100.231", "--for", "1h"]);
    }
    await until("the guard is back", () => product.guardAnswers());
    const replies = await stopFlood();
    console.log(`${replies.length} mails in the flood, ${seen.at(-1)?.last ?? 0} events before the last kill`);
    const refused = replies.filter((reply) => !reply.startsWith("250 "));
    assert.deepEqual(refused, [], "Postfix took every mail");
    assert.ok(replies.length > KILLS, `a flood of ${replies.length} mails is none`);

    for (const { last, rows } of seen)
      assert.equal((await committed(product, last)).rows, rows, "a committed event is lost");
    assert.deepEqual(await product.sqlite("PRAGMA integrity_check"), [["ok"]]);
    const gaps = await product.sqlite("SELECT max(id) - min(id) + 1 - count(*) FROM event");
    assert.deepEqual(gaps, [["0"]], "an interrupted write left neither a part nor a gap");
    await until("database and firewall agree", async () => {
      const inDatabase = (await product.sqlite("SELECT prefix FROM ban WHERE ended_at IS NULL ORDER BY prefix")).flat();
      const inFirewall = Array.from(
        (await product.firewallBans()).matchAll(/([0-9.]+) timeout/g),
        ([, ip]) => `${ip}/32`,
      );
      assert.deepEqual(inFirewall.toSorted(), inDatabase.toSorted());
      return inDatabase.length > 0;
    });
    for (let i = 6; i <= 10; i++)
      assert.equal((await sendMail({ host: lab.sender, from: regular })).code, 250, `mail ${i} of the hour`);
  });

  test("a stalled guard lets no one past its limits, and is replaced", async () => {
    const from = "198.51.100.102";
    const [keeper, pid] = await until("both run", () => {
      const [[one], [other]] = [product.pidsOf(/\/keeper\.js/), product.pidsOf(GUARD)];
      return one !== undefined && other !== undefined && [one, other];
    });
    const nice = Number(readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ")[16]);
    assert.equal(nice, WEIGHTS.guard?.nice, "it runs before everything else on the processor (proc_pid_stat(5))");
    const writing = await openSubmissionAs(lab.sender, from, ANNA);
    const signingIn = await openSubmission(lab.sender, from);
    const reading = await openImap(lab.sender, from);
    // The keeper would end the stalled one within seconds.
    await whileStopped([keeper], async () => {
      process.kill(pid, "SIGSTOP");
      const [sent, auth, written, said] = await Promise.all([
        sendMail({ host: lab.sender, from }),
        authenticate(signingIn, ANNA),
        writing.ask(`MAIL FROM:<${ANNA}>`).then(() => writing.ask("RCPT TO:<friend@sender.test>")),
        logIn(reading, ANNA),
      ]);
      assert.deepEqual([sent.code, auth.code, written.code], [421, 454, 421]);
      assert.match(said ?? "", /^NO/);
    });
    let opened = false;
    await until("the stalled one is ended, and the guard is back", async () => {
      opened ||= product.pidsOf(STAND_IN).length > 0;
      return !product.pidsOf(GUARD).includes(pid) && (await product.guardAnswers());
    });
    assert.equal(opened, false, "no stand-in has let anybody pass");
    assert.match(await tryLogIn(lab.sender, from, ANNA), /^OK/);
    assert.equal((await sendMail({ host: lab.sender, from })).code, 250);
    await until("nothing else answers", () => product.pidsOf(STAND_IN).length === 0);
  });

  test("a guard that answers two seconds late lets no one past its limits", async () => {
    const from = "198.51.100.106";
    for (let i = 1; i <= 10; i++) assert.equal((await sendMail({ host: lab.sender, from })).code, 250, `mail ${i}`);
    const pid = await until("the guard runs", () => product.pidsOf(GUARD)[0]);
    process.kill(pid, "SIGSTOP");
    const timer = setTimeout(() => process.kill(pid, "SIGCONT"), 2_000);
    const startedAt = performance.now();
    try {
      assertCutOff(await sendMail({ host: lab.sender, from }));
      assert.ok(performance.now() - startedAt > 1_900, "its answer was awaited");
    } finally {
      clearTimeout(timer);
      process.kill(pid, "SIGCONT");
    }
    await until("it is banned", () => product.banOf(from));
    assert.ok(product.pidsOf(GUARD).includes(pid), "it was slow, and was not replaced");
  });

  test("a program that takes the guard's port opens no mailbox and stops no mail, and the owner is notified", async () => {
    await product.sv("down", "guard");
    await product.kill(STAND_IN);
    await until("the port is free", () => product.pidsOf(STAND_IN).length === 0);
    const squatter = await lab.server.spawnReady([...AS_NOBODY, process.execPath, "-e", SAYS_YES]);
    try {
      assert.match(await tryLogIn(lab.sender, "198.51.100.107", ANNA), /^NO/);
      await product.sv("up", "guard");
      await until("the guard is back", () => product.guardAnswers());
      assert.match((await product.cli(["status"])).stdout, /No one can sign in: .* 127\.0\.0\.1:10025 .*ss -ltnp/);
      assert.equal((await sendMail({ host: lab.sender, from: "198.51.100.107" })).code, 250);
      assert.match(await tryLogIn(lab.sender, "198.51.100.107", ANNA), /^NO/);
    } finally {
      squatter.kill("SIGKILL");
      await product.sv("up", "guard");
    }
    await until("sign-ins are back", async () => (await tryLogIn(lab.sender, "198.51.100.107", ANNA)).startsWith("OK"));
  });

  test("while the guard is down mail and logins work, and every command says that it is down", async () => {
    await product.sv("down", "guard");
    try {
      assert.equal((await sendMail({ host: lab.sender, from: "198.51.100.103" })).code, 250);
      assert.match(await tryLogIn(lab.sender, "198.51.100.103", "anna@example.test"), /^OK/);
      for (const argv of [["bans"], ["ban", "198.51.100.104"], ["account", "list"], ["why", "198.51.100.104"]]) {
        const ran = await product.cli(argv);
        assert.equal(ran.code, 3, `${argv.join(" ")}: ${ran.stdout}${ran.stderr}`);
        assert.ok(ran.stderr.trim().split("\n").length <= 2, ran.stderr);
      }
      const status = await product.cli(["status", "--json"]);
      assert.equal(status.code, 1);
      for (const part of ['"guard","status":"down"', '"postfix","status":"ok"'])
        assert.ok(status.stdout.replaceAll(/\s/g, "").includes(`{"name":${part}`), status.stdout);
      await product.does(["config", "check"]);
      await product.does(["break-glass", "--json"]);
      const rules = (await lab.server.exec(["nft", "list", "ruleset"])).stdout;
      assert.doesNotMatch(rules, /198\.51\.100\.230/, "break-glass lifts bans without the guard");
    } finally {
      await product.sv("up", "guard");
    }
    let isBack = false;
    // The socket answers a moment before the records say that the bans are lifted.
    await until("the guard is back, and the lifted bans are lifted in its records", async () => {
      isBack ||= (await lab.server.exec(["nft", "list", "ruleset"])).stdout.includes("198.51.100.230");
      return (await product.guardAnswers()) && (await product.banOf("198.51.100.230")) === undefined;
    });
    assert.equal(isBack, false, "the kernel drops it no more");
  });
});

type Seen = Readonly<{ last: number; rows: number }>;

async function committed(product: Product, upTo?: number): Promise<Seen> {
  const where = upTo === undefined ? "" : `WHERE id <= ${upTo}`;
  const [row] = await product.sqlite(`SELECT coalesce(max(id), 0), count(*) FROM event ${where}`);
  return { last: Number(row?.[0]), rows: Number(row?.[1]) };
}

/** How often a mail that was deferred is sent again. */
const TRIES = 3;

/** Endless mails, each from a different IPv6 network, until it is stopped. */
function flood({ sender: host }: Lab) {
  const sent: string[] = [];
  const end = new AbortController();
  const one = async (worker: number): Promise<void> => {
    for (let i = 0; !end.signal.aborted; i++) {
      const from = `2001:db8:b${worker}${(i >> 12).toString(16)}0:${(i & 0xfff).toString(16)}::1`;
      let reply = await sendMail({ host, from });
      // A guard that is slow to start defers mail, and a sending server tries again.
      for (let again = 0; again < TRIES && reply.code >= 400 && reply.code < 500; again++)
        reply = await sendMail({ host, from });
      sent.push(words(reply));
    }
  };
  const done = Promise.all([0, 1, 2].map(one));
  /** Returns the last reply to each. */
  return async (): Promise<readonly string[]> => {
    end.abort();
    await done;
    return sent;
  };
}
