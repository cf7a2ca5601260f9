import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { MINUTE_MS } from "../../src/core/time.ts";
import { patience } from "../kit/patience.ts";
import { whileBusy } from "../lab/commands.ts";
import { scoreByOneRule } from "../lab/content.ts";
import type { Dialog } from "../lab/dialog.ts";
import { AS_SHIPPED } from "../lab/for-tests.ts";
import { type GuardClock, guardClock } from "../lab/guard-clock.ts";
import type { Host } from "../lab/host.ts";
import {
  ANNA,
  BERT,
  logIn,
  openImap,
  openImapAs,
  openSubmissionAs,
  sendMail,
  serverFor,
  tryLogIn,
} from "../lab/mail.ts";
import { NO_BACKUP_NOW } from "../lab/owner.ts";
import { until } from "../lab/wait.ts";
import { needsLab, withProduct } from "../lab/with-product.ts";

/** An address from which Anna's account signed in before. */
const HOME = "198.51.100.70";
const CONNECTIONS = 110;
const PORTS = [25, 465, 587] as const;
const ATTACK_MS = 10_000;
const MOST_MS = patience(5_000);
/** When an honest client gives up. */
const UNWILLING_MS = 20_000;

const asItIs: typeof whileBusy = async (work) => work();
const range = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);
/** Addresses of the attacker: every second one IPv4, the others each in a different IPv6 site. */
const attackers = (count: number): readonly string[] =>
  range(count).map((i) => (i % 2 === 0 ? `198.51.100.${194 + i / 2}` : `2001:db8:${(0xa000 + i).toString(16)}::1`));
/** Each attack uses new addresses, so that bans of earlier ones do not help. */
const sites = (first: number, count: number): readonly string[] =>
  range(count).map((i) => `2001:db8:${(0xa000 + first + i).toString(16)}::1`);

describe("idle connections that would take every place of a port", needsLab(), () => {
  const { lab, product } = withProduct(
    {
      ...AS_SHIPPED,
      ...NO_BACKUP_NOW,
      GHOSTINBOX_DNSBL__ZONES: "[]",
      GHOSTINBOX_LIMITS__CONNECTIONS__IMAP_PLACES: "60",
    },
    [ANNA, BERT],
    // As in most containers, root may not look into other users' processes.
    {
      prepare: scoreByOneRule,
      within: ["setpriv", "--bounding-set", "-sys_ptrace", "--inh-caps", "-sys_ptrace", "--"],
    },
  );
  let clock: GuardClock;
  let place = 0;
  /** An unused address of the sender. */
  const newPlace = (): string => `2001:db8:${(0xb000 + ++place).toString(16)}::1`;

  before(async () => {
    clock = await guardClock(product);
    await until("every part of it is well", async () => (await product.stats()).health.status === "ok");
    await product.json(["greylist", "pause", ANNA, "--for", "1h"]);
    assert.match(await tryLogIn(lab.sender, HOME, ANNA), /^OK/);
  });

  /** Each returns how many milliseconds it waited to be accepted, and throws if it was refused. */
  const honest: Readonly<Record<string, () => Promise<number>>> = {
    "mail from IPv6": () => delivers(newPlace()),
    "mail from IPv4": () => delivers(`198.51.100.${71 + (++place % 50)}`),
    "the owner at home, 587": () => submits(HOME, 587),
    "the owner elsewhere, 465": () => submits(newPlace(), 465),
    "the owner elsewhere, 587": () => submits(newPlace(), 587),
    "the owner at home, 993": () => reads(HOME),
    "the owner elsewhere, 993": () => reads(newPlace()),
  };

  for (const [what, addresses, isStubborn, load] of [
    ["110 addresses, IPv4 and IPv6, with busy processors", attackers(110), false, whileBusy],
    ["33 addresses that come back at once, with busy processors", sites(0x200, 33), true, whileBusy],
    ["110 addresses that come back at once", sites(0x300, 110), true, asItIs],
  ] as const)
    test(`${CONNECTIONS} from ${what}, on ports ${PORTS.join(", ")}: no honest client waits`, async () => {
      const over = new AbortController();
      const attack = PORTS.map((port) => holdOpen(lab.attacker, addresses, port, { isStubborn, over: over.signal }));
      try {
        const waits = await load(measure);
        const crowded = (await product.stats()).health.notices.filter(({ code }) => code === "ports_crowded");
        for (const [who, ms] of waits) console.log(`${what}: ${who} waited ${ms.map(Math.round).join(", ")} ms`);
        console.log(crowded[0]?.detail);
        assert.equal(crowded.length, 1, "the owner gets one notice");
        for (const [who, ms] of waits) assert.ok(Math.max(...ms) < MOST_MS, who);
      } finally {
        over.abort();
        await Promise.all(attack);
      }
    });

  test("a slow mail is accepted, whoever holds other connections", async () => {
    const over = new AbortController();
    const from = newPlace();
    let attack = Promise.resolve();
    const slow = sendMail({
      host: lab.sender,
      from,
      onceSent: () => {
        attack = holdOpen(lab.attacker, attackers(110), 25, { isStubborn: false, over: over.signal });
      },
      text: `From: <someone@sender.test>\r\nSubject: slow\r\n\r\n${"a line\r\n".repeat(400_000)}end`,
    });
    try {
      assert.equal((await slow).code, 250);
    } finally {
      over.abort();
      await attack;
    }
  });

  test("one account that signed in from many places leaves room for the others, and is named", async () => {
    const phone = await openImapAs(lab.sender, HOME, ANNA);
    const sessions: Dialog[] = [];
    try {
      const who = await lab.server.mustExec(["doveadm", "-c", product.layout.dovecotConf, "who", "-1", ANNA]);
      const pid = /\simap\s+(\d+)\s/.exec(who)?.[1] ?? assert.fail(who);
      const nice = Number(await lab.server.mustExec(["ps", "-o", "ni=", "-p", pid]));
      assert.ok(nice >= 5, `searches give way to sign-ins: ${nice}`);
      await whileBusy(async () => {
        for (const from of range(6).map(() => newPlace()))
          for (let i = 0; i < 12; i++) {
            const session = await openImap(lab.sender, from).catch(() => null);
            if (session === null) continue;
            sessions.push(session);
            await logIn(session, BERT).catch(() => null);
          }
        await until("some are ended", () => sessions.filter(({ isClosed }) => isClosed).length >= 20);
      });
      const keepsSome = sessions.some(({ isClosed }) => !isClosed);
      assert.ok(keepsSome, "he keeps some");
      const waitedMs = await reads(HOME);
      assert.ok(waitedMs < MOST_MS, `${waitedMs} ms`);
      assert.match((await phone.imap("NOOP")).at(-1) ?? "", /OK/);
      const detail = await until("the owner is alerted", async () => {
        const { notices } = (await product.stats()).health;
        return notices.find(({ code, detail }) => code === "mailbox_overused" && detail.includes(BERT))?.detail;
      });
      const [, had, ended] =
        /bert@\S+ had (\d+) sessions open from \d+ addresses, (\d+) (?:was|were) ended/.exec(detail) ?? [];
      const left = Number(had) - Number(ended);
      // A third of the 60 places stays free, and few of the others are Anna's.
      assert.ok(left >= 36 && left < 40, detail);
    } finally {
      for (const session of [phone, ...sessions]) session.close();
    }
  });

  test("one alert reports the attack and ends once there is room; everything works as before", async () => {
    const listed = JSON.stringify(await product.json(["alerts", "list"]));
    assert.equal(listed.match(/"code":"ports_crowded"/g)?.length, 1, listed);
    clock.forward(MINUTE_MS);
    await until("the notice is gone", async () => !(await product.hasNotice("ports_crowded")));
    for (const comesIn of Object.values(honest)) await comesIn();
    const { notices } = (await product.stats()).health;
    const codes = notices.map(({ code }) => code);
    assert.deepEqual(codes, ["mailbox_overused"]);
  });

  /** All honest clients, repeatedly, while the attack lasts; a refused one retries at once. */
  async function measure(): Promise<ReadonlyMap<string, readonly number[]>> {
    const waits = new Map<string, number[]>();
    const end = performance.now() + ATTACK_MS;
    await Promise.all(
      Object.entries(honest).map(async ([who, comesIn]) => {
        while (performance.now() < end) {
          const began = performance.now();
          const wait = async (): Promise<number> => performance.now() - began + (await comesIn());
          const waitedMs = await until(who, wait, UNWILLING_MS);
          waits.set(who, [...(waits.get(who) ?? []), waitedMs]);
          // No client may connect more often than limits.connections allows.
          await new Promise((resolve) => setTimeout(resolve, 4_000));
        }
      }),
    );
    return waits;
  }

  /** A mail counts once it is fully sent, because its content is judged afterwards. */
  async function delivers(from: string): Promise<number> {
    const began = performance.now();
    let sent = began;
    const { code, lines } = await sendMail({ host: lab.sender, from, onceSent: () => (sent = performance.now()) });
    assert.equal(code, 250, lines.join());
    return sent - began;
  }

  async function submits(from: string, port: 465 | 587): Promise<number> {
    const began = performance.now();
    using dialog = await openSubmissionAs(lab.sender, from, ANNA, port);
    assert.equal((await dialog.ask(`MAIL FROM:<${ANNA}>`)).code, 250);
    return performance.now() - began;
  }

  async function reads(from: string): Promise<number> {
    const began = performance.now();
    using _ = await openImapAs(lab.sender, from, ANNA);
    return performance.now() - began;
  }
});

type Attack = Readonly<{ isStubborn: boolean; over: AbortSignal }>;

/** Silent connections, spread evenly over the addresses. */
async function holdOpen(
  host: Host,
  addresses: readonly string[],
  port: number,
  { isStubborn, over }: Attack,
): Promise<void> {
  await Promise.all(
    range(CONNECTIONS).map(async (i) => {
      const from = addresses[i % addresses.length] ?? "";
      const again = (): boolean => isStubborn && !over.aborted;
      do {
        const connected = await host.connect({ from, to: serverFor(from), port });
        if (connected.ok) {
          const { socket } = connected;
          const stop = (): void => void socket.destroy();
          over.addEventListener("abort", stop);
          socket.resume();
          await new Promise((resolve) => socket.once("close", resolve));
          over.removeEventListener("abort", stop);
        } else await new Promise((resolve) => setTimeout(resolve, 200));
      } while (again());
    }),
  );
}
