import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { test } from "node:test";
import { messageOf } from "../../src/core/error.ts";
import { patience } from "../kit/patience.ts";
import { seeded } from "../kit/test-database.ts";
import { signal } from "./commands.ts";
import type { Lab } from "./lab.ts";
import { ANNA, sendMail, words } from "./mail.ts";
import { mailFiles } from "./mailbox.ts";
import { queueOf } from "./submitted.ts";
import { Hopeless, until } from "./wait.ts";
import type { Running } from "./with-product.ts";

const MAILS = 1_000;
const SENDERS = 8;
/** A pause from a kill to the next mails that is longer than this is printed. */
const SLOW_MS = 15_000;
/** How long after a kill a delivery may still be interrupted by it. */
const ENDING_MS = patience(2_000);
const SEED = Number(process.env["CHAOS_SEED"] ?? 20_261_120);
/** Every program that a mail passes through, without supervisors. */
const VICTIMS: readonly RegExp[] = [
  /\/guard\.js/,
  /\/keeper\.js/,
  /\/postfix\/sbin\/master/,
  /qmgr/,
  /cleanup/,
  /dovecot -F/,
  /dovecot\/lmtp/,
  /unbound/,
  /\bspamd (child|--)/,
  /spamass-milter/,
  /rspamd: main/,
  /rspamd: rspamd_proxy/,
];

/** For a server with the spam filter and ANNA's account. */
export function thousandTests({ lab, product }: Running): void {
  test("every accepted mail is in its mailbox; a duplicate exists only if a kill came in between", async () => {
    const sending = sendAll(lab);
    const kills: number[] = [];
    for (const victim of victims()) {
      if (sending.accepted.size >= MAILS) break;
      const killed = performance.now();
      const before = sending.accepted.size;
      const pid = product.pidsOf(victim)[0];
      if (pid !== undefined && signal(pid, "SIGKILL")) kills.push(Date.now());
      await until("some mails got through since", () => sending.accepted.size >= Math.min(MAILS, before + 24), 120_000);
      const tookMs = performance.now() - killed;
      if (tookMs > SLOW_MS) console.log(`after a kill of ${victim} mail came through in ${Math.round(tookMs)} ms`);
    }
    await sending.done;
    assert.equal(sending.accepted.size, MAILS);
    assert.ok(kills.length >= 30, `only ${kills.length} kills`);

    const allStored = async () => {
      await product.cli(["status"]);
      await lab.server.exec(["postqueue", "-c", product.layout.postfixConf, "-f"]);
      if ((await queueOf({ lab, product })).length > 0) return false;
      const files = (["INBOX", "Junk"] as const).flatMap((folder) => mailFiles(product.layout, ANNA, folder));
      const found = files.flatMap(storedIn);
      return new Set(found.map(({ number }) => number)).size >= MAILS && found;
    };
    const stored = await until("the queue has emptied into the mailbox", allStored, 120_000);
    const copies = Map.groupBy(stored, ({ number }) => number);
    const lost = Array.from({ length: MAILS }, (_, i) => i).filter((number) => !copies.has(number));
    assert.deepEqual(lost, [], "accepted, and not in the mailbox");

    const log = readFileSync(product.layout.mailLog, "utf8");
    const doubled = [...copies].filter(([, several]) => several.length > 1);
    const wasRetried = ({ queueId }: Stored): boolean =>
      log.includes(`${queueId}: to=<anna@example.test>`) && wasInterrupted(log, queueId);
    const unexplained = doubled.flatMap(([number, several]) =>
      sending.unanswered.has(number) || (several.some(wasRetried) && isAcross(several, kills)) ? [] : [number],
    );
    console.log(`${kills.length} kills, ${doubled.length} duplicates, seed ${SEED}`);
    assert.deepEqual(unexplained, [], "delivered twice without a kill between");
  });
}

/** A delivery that was retried: it was deferred, or its deliverer, or the queue manager, died under it. */
function wasInterrupted(log: string, queueId: string): boolean {
  const lines = log.split("\n").filter((line) => line.includes(`${queueId}:`));
  const sent = lines.filter((line) => line.includes("status=sent")).length;
  const taken = lines.filter((line) => line.includes("(queue active)")).length;
  return lines.some((line) => line.includes("status=deferred")) || taken > 1 || sent !== 1;
}

/** Pseudo-random, so that a failure can be reproduced. */
function* victims(): Generator<RegExp> {
  const random = seeded(SEED);
  for (;;) yield VICTIMS[Math.floor(random() * VICTIMS.length)] ?? assert.fail();
}

/** Doubles the time waited: a sender that retries more often than `limits` allow while a program is dead would be banned. */
const asServersRetry = (_tookMs: number, waitedMs: number): number => Math.min(Math.max(200, waitedMs), 15_000);

/** Sends mails like honest senders, each from a different site (RFC 9637), and retries until it is accepted. */
function sendAll({ sender: host }: Lab) {
  const accepted = new Set<number>();
  /** Mails for which no reply after the final dot said whether they were stored. */
  const unanswered = new Set<number>();
  let next = 0;

  const isAccepted = async (number: number): Promise<true> => {
    const from = `3fff:${number.toString(16)}::1`;
    let sent = false;
    let answer = "";
    try {
      const { code, lines } = await sendMail({
        host,
        from,
        subject: `Number ${number}.`,
        onceSent: () => (sent = true),
      });
      if (code >= 500) throw new Hopeless(`mail ${number} was refused: ${code} ${lines.join(" ")}`);
      if (code === 250) return true;
      // A deferred mail was not stored, unless cleanup was killed after storing it and before saying so.
      if (code !== 0 && !lines.some((line) => line.includes("queue file write error"))) sent = false;
      answer = words({ code, lines });
    } catch (error) {
      if (error instanceof Hopeless) throw error;
      answer = messageOf(error);
    }
    // A sender cannot know whether the server had already stored it.
    if (sent) unanswered.add(number);
    throw new Error(`the last answer: ${answer}`);
  };
  const one = async (): Promise<void> => {
    for (let number = next++; number < MAILS; number = next++) {
      await until(`mail ${number} is accepted`, () => isAccepted(number), 120_000, asServersRetry);
      accepted.add(number);
    }
  };
  return { accepted, unanswered, done: Promise.all(Array.from({ length: SENDERS }, one)) };
}

/** Whether a program was killed between the first and the last delivery of a mail, or just before. */
function isAcross(copies: readonly Stored[], kills: readonly number[]): boolean {
  const times = copies.map(({ at }) => at);
  return kills.some((killed) => Math.min(...times) - ENDING_MS <= killed && killed <= Math.max(...times));
}

/** `at`: when it was delivered, by the name of its file. */
type Stored = Readonly<{ number: number; queueId: string; at: number }>;

function storedIn(path: string): readonly Stored[] {
  const text = readFileSync(path, "utf8");
  const [, seconds, micros] = /^(\d+)\.M(\d+)P/.exec(basename(path)) ?? [];
  const at = Number(seconds) * 1_000 + Number(micros) / 1_000;
  const number = /^Subject: (?:\[SPAM\] )?Number (\d+)\.$/m.exec(text)?.[1];
  const received = /\bid ([0-9A-Za-z]+)\b[^\n]*\n?[^\n]*for <anna@example\.test>|with E?SMTPS? id ([0-9A-Za-z]+)/;
  const [, queueId, otherId = ""] = received.exec(text) ?? [];
  return number === undefined ? [] : [{ number: Number(number), queueId: queueId ?? otherId, at }];
}
