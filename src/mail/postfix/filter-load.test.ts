import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock } from "../../../test/kit/engine-kit.ts";
import { DELIVERED, ip, MAIL, NOON } from "../../../test/kit/samples.ts";
import { type Decision, decision } from "../../core/decide/decision.ts";
import { MOST_IN_FILTERS } from "../../core/decide/mail.ts";
import type { EndOfMessage, Excess } from "../../core/events/mail.ts";
import { MINUTE_MS, SECOND_MS } from "../../core/time.ts";
import { readMailLog } from "../logs/mail-log.ts";
import { MILTER_FAILED } from "../logs/patterns.ts";
import { CHECK_MS, STALL_SECONDS } from "../rspamd/rspamd-conf.ts";
import { FilterLoad } from "./filter-load.ts";

const PASS = decision("pass", "below_limit");
const BUSY = decision("defer", "filters_busy");
const LARGE = MOST_IN_FILTERS / 4;

const ANNA = "anna@example.test";
/** The sender of a mail: a stranger or an account. */
const place = (address: string, account: string | null = null) => ({ account, ip: ip(address) });

/** A server that reads mail: `ask` and `send` return what the engine was asked about the mail's excess, `ask` with the verdict. */
function server() {
  const clock = new HandClock();
  const load = new FilterLoad(clock);
  const ask = (mail: Partial<EndOfMessage>, decide: (of: Excess["of"] | null) => Decision) => {
    const seen: { of: Excess["of"] | null; verdict: string } = { of: null, verdict: "" };
    const submit = load.limiting((event, answer) => {
      seen.of = event.type === "END_OF_MESSAGE" ? (event.excess?.of ?? null) : null;
      answer(decide(seen.of));
    });
    const event = { type: "END_OF_MESSAGE", ...MAIL, recipientCount: 1, sizeBytes: LARGE, ...mail } as const;
    submit(event, ({ verdict }) => (seen.verdict = verdict));
    return seen;
  };
  const send = (queueId: string, sizeBytes = LARGE, more: Partial<EndOfMessage> = {}, decided = PASS) =>
    ask({ queueId, sizeBytes, ...more }, () => decided).of;
  /** Rspamd has read it. */
  const done = (queueId: string) => load.observe({ type: "MAIL_JUDGED", queueId, found: "dkim" });
  return { load, ask, send, done, clock };
}

/** A server whose filters have as much to read as they take at once. */
function busyServer() {
  const all = server();
  for (const i of [1, 2, 3, 4]) assert.equal(all.send(`AAAA${i}`, LARGE, { ip: ip(`198.51.${i}.1`) }), null);
  return all;
}

/** What a mail that may hide parts must wait for. `from`: the address of a stranger, or an account. */
function hiding({ send }: ReturnType<typeof server>, queueId: string, from: string): string | null {
  const more: Partial<EndOfMessage> = from.includes("@") ? { account: from } : { ip: ip(from) };
  send(queueId, LARGE, more);
  return send(queueId, LARGE, { ...more, mayHideParts: true }, BUSY);
}

test("a stranger's large mail is deferred while the filters have enough to read; others pass", () => {
  const all = busyServer();
  assert.equal(all.send("BBBB1", 262_145), "bytes_in_filters");
  assert.equal(all.send("BBBB2", 262_144), null);
  assert.equal(all.send("BBBB3", LARGE, { account: "anna@example.test" }), null);
});

const OF_MAIL = { account: null, service: "smtp", queueId: "AAAA2", sender: "", recipient: "", reply: "" } as const;
const REFUSED = { type: "CONTENT_REFUSED", ip: MAIL.ip, reason: "filter_deferred", ...OF_MAIL } as const;

for (const [how, seen] of [
  ["is marked", { type: "MAIL_JUDGED", queueId: "AAAA2", found: "spf" }],
  ["is refused", REFUSED],
  ["is delivered", { ...DELIVERED, queueId: "AAAA2" }],
] as const)
  test(`there is room again once a mail ${how}`, () => {
    const all = busyServer();
    assert.deepEqual(all.load.observe(seen), seen);
    assert.equal(all.send("BBBB1"), null);
    assert.equal(all.send("BBBB2"), "bytes_in_filters");
    all.load.observe(seen);
    assert.equal(all.send("BBBB2"), "bytes_in_filters", "a mail makes room once");
  });

test("a milter's refusal of an account's mail is attributed to the account, until another mail gets its queue id", () => {
  const { load, send } = server();
  const mail = { account: "anna@example.test", service: "submissions" } as const;
  send("AAAA2", LARGE, mail);
  assert.deepEqual(load.observe(REFUSED), { ...REFUSED, ...mail });
  assert.deepEqual(load.observe(REFUSED), { ...REFUSED, ...mail }, "its line is read again after a lost transaction");
  send("AAAA2");
  assert.deepEqual(load.observe(REFUSED), REFUSED);
});

test("there is room again once Postfix has a mail in its queue or refuses it as a loop, whatever its sender is called", () => {
  const all = busyServer();
  const line = (text: string): void => {
    const whole = `Nov 20 08:08:30 mail postfix/${text}`;
    all.load.readActive(whole);
    all.load.observe(readMailLog(whole, NOON, NOON));
  };
  line("smtpd[1]: AAAA1: from=<a@b.test>, size=1, nrcpt=1 (queue active)");
  line("smtpd[1]: NOQUEUE: reject: AAAA1: from=<a>, size=1, nrcpt=1 (queue active)");
  assert.equal(all.send("BBBB1"), "bytes_in_filters");
  line('qmgr[2]: AAAA1: from=<"x>, size=9, nrcpt=9"@b.test>, size=1, nrcpt=1 (queue active)');
  assert.equal(all.send("BBBB1"), null);
  assert.equal(all.send("BBBB2"), "bytes_in_filters");
  line("smtpd[1]: warning: AAAA2: message rejected: hopcount exceeded");
  line("cleanup[3]: AAAA2: message-id=<warning: AAAA2: message rejected: hopcount exceeded");
  assert.equal(all.send("BBBB2"), "bytes_in_filters");
  const looped = (queueId: string) => line(`cleanup[3]: warning: ${queueId}: message rejected: hopcount exceeded`);
  looped("AAAA2");
  assert.equal(all.send("BBBB2"), null);
  looped("CCCC1");
  assert.equal(all.send("CCCC1"), null, "the line may come before the mail's end");
  all.load.observe({ ...DELIVERED, queueId: "BBBB2" });
  assert.equal(all.send("BBBB3"), null, "it took no room");
});

test("a refused mail takes no room, and a mail about which Postfix asks twice takes room once", () => {
  const all = busyServer();
  const excess = { of: "mime_parts", count: 10_000 } as const;
  assert.equal(all.send("AAAA3", LARGE, { excess }, decision("refuse", "mime_parts")), "mime_parts");
  assert.equal(all.send("BBBB1", LARGE, {}, decision("refuse", "banned")), null);
  assert.equal(all.send("BBBB2"), null);
  assert.equal(all.send("BBBB2"), null);
  assert.equal(all.send("BBBB3"), "bytes_in_filters");
});

test("a turn ends even if no line shows its end, but not before Rspamd must have ended", () => {
  const all = server();
  assert.equal(hiding(all, "AAAA1", "198.51.1.1"), null);
  all.clock.advance(STALL_SECONDS * SECOND_MS);
  assert.equal(hiding(all, "BBBB1", "198.51.2.1"), "waits_for_turn");
  all.clock.advance(10_000);
  assert.equal(hiding(all, "BBBB1", "198.51.2.1"), null);
});

test("a network whose mail ended Rspamd has its next turn after a quarter of an hour, whether or not it kept out others", () => {
  const all = server();
  assert.equal(hiding(all, "AAAA2", "198.51.1.1"), null);
  all.load.observe(REFUSED);
  assert.equal(hiding(all, "AAAA2", "198.51.1.1"), null, "another reply of a filter");
  all.load.observe({ ...REFUSED, reply: MILTER_FAILED });
  assert.equal(hiding(all, "AAAA3", "198.51.1.1"), "waits_for_turn");
  assert.equal(hiding(all, "BBBB1", "198.51.2.1"), null);
  all.clock.advance(15 * MINUTE_MS);
  assert.equal(hiding(all, "AAAA3", "198.51.1.1"), null);
});

test("after Rspamd ended, senders of the mails that it was reading need turns, and an account has one at a time", () => {
  const all = server();
  const [stranger, anna] = [place("198.51.1.1"), place("198.51.2.1", ANNA)];
  all.send("AAAA2", 5_000, stranger);
  all.send("AAAA3", 5_000, anna);
  all.load.observe(REFUSED);
  assert.equal(all.load.isSuspect(stranger), false, "another reply of a filter");
  for (const queueId of ["AAAA2", "AAAA3"]) {
    all.send(queueId, 5_000, queueId === "AAAA2" ? stranger : anna);
    all.load.observe({ ...REFUSED, queueId, reply: MILTER_FAILED });
  }
  for (const one of [stranger, place("198.51.1.200"), anna, place("198.51.3.1", ANNA)])
    assert.equal(all.load.isSuspect(one), true, one.ip);
  assert.equal(all.load.isSuspect(place("198.51.2.1")), false);
  const ask = (queueId: string, sender: typeof anna, why: Partial<EndOfMessage>): string | null => {
    all.send(queueId, 5_000, sender);
    return all.send(queueId, 5_000, { ...sender, ...why }, BUSY);
  };
  for (const sender of [stranger, anna]) {
    assert.equal(ask("BBBB1", sender, { isSuspect: true }), null);
    assert.equal(ask("BBBB2", sender, { isSuspect: true }), "waits_for_turn");
  }
  assert.equal(ask("BBBB3", anna, { mayHideParts: true }), "waits_for_turn");
  all.clock.advance(15 * MINUTE_MS);
  assert.equal(all.load.isSuspect(anna), false);
});

/** What Rspamd's main process logs at a check that misses the process that reads mail. */
function missed(at: number): string {
  const time = new Date(at).toISOString().replace("T", "_").replace("Z", "00");
  const says = "lost 1 heartbeat from worker type rspamd_proxy with pid 9, last beat on: …";
  return `${time} #4(main) <d1ee3b>; main; rspamd_main_heartbeat_cb: ${says}`;
}

function blocked({ load, clock }: ReturnType<typeof server>, checks: number): void {
  for (let check = 0; check < checks; check++) {
    clock.advance(CHECK_MS);
    load.readRspamd(missed(clock.now()));
  }
}

test("mails with a turn block Rspamd for at most a tenth of the time, however many networks they come from", () => {
  const all = server();
  const start = all.clock.now();
  let blocks = 0;
  for (let turn = 0; all.clock.now() - start < 60 * MINUTE_MS; turn++) {
    if (hiding(all, "AAAA1", `198.${turn >> 8}.${turn & 255}.1`) === null) {
      blocked(all, 5);
      all.done("AAAA1");
      blocks++;
    } else all.clock.advance(SECOND_MS);
  }
  assert.ok(blocks > 30 && blocks * 5 * CHECK_MS < 7 * MINUTE_MS, `${blocks} blocks`);
});

test("lines of Rspamd's log that are old, or read again, blame no mail", () => {
  const all = server();
  const start = all.clock.now();
  assert.equal(hiding(all, "AAAA1", MAIL.ip), null);
  for (let again = 0; again < 50; again++)
    for (const at of [start - CHECK_MS, start, start - MINUTE_MS - again * CHECK_MS]) all.load.readRspamd(missed(at));
  all.done("AAAA1");
  assert.equal(hiding(all, "BBBB1", "198.51.2.1"), null);
});

test("a network that had a turn before waits a quarter of an hour from the time at which its mail blocked Rspamd", () => {
  const all = server();
  assert.equal(hiding(all, "AAAA1", "198.51.1.1"), null);
  all.done("AAAA1");
  all.clock.advance(14 * MINUTE_MS);
  assert.equal(hiding(all, "AAAA2", "198.51.1.1"), null);
  blocked(all, 3);
  all.done("AAAA2");
  all.clock.advance(14 * MINUTE_MS);
  assert.equal(hiding(all, "AAAA3", "198.51.1.1"), "waits_for_turn");
  all.clock.advance(MINUTE_MS);
  assert.equal(hiding(all, "AAAA3", "198.51.1.1"), null);
});

for (const account of [null, "anna@example.test"])
  test(`Rspamd reads few small but costly mails of ${account ?? "strangers"} at once`, () => {
    const all = server();
    const mail = { account, ip: ip("198.51.1.1") };
    const heavy = (queueId: string): string | null => {
      assert.equal(all.send(queueId, 5_000, mail), null);
      return all.send(queueId, 5_000, { ...mail, weightBytes: MOST_IN_FILTERS / 2 - 25_000 }, BUSY);
    };
    assert.deepEqual(["AAAA1", "AAAA2", "AAAA3"].map(heavy), [null, null, "bytes_in_filters"]);
    assert.equal(all.send("AAAA4", 5_000, mail), null);
    assert.equal(all.send("AAAA5", LARGE, mail), account === null ? "bytes_in_filters" : null);
    all.done("AAAA1");
    assert.equal(heavy("AAAA6"), null);
  });

test("a single mail passes, whatever its size and its weight", () => {
  const all = server();
  assert.equal(all.send("AAAA1", 10 * MOST_IN_FILTERS), null);
  assert.equal(all.send("AAAA1", 10 * MOST_IN_FILTERS, { weightBytes: 20 * MOST_IN_FILTERS }), null);
});

test("an account's large mails on their way make none of its heavy mails wait", () => {
  const all = server();
  const mail = { account: "anna@example.test", ip: MAIL.ip };
  for (const queueId of ["AAAA1", "AAAA2", "AAAA3"]) all.send(queueId, LARGE, mail);
  all.send("AAAA4", 5_000, mail);
  assert.equal(all.send("AAAA4", 5_000, { ...mail, weightBytes: LARGE }), null);
});

test("a single account makes no stranger's heavy mail wait", () => {
  const all = server();
  const mail = { account: "anna@example.test", ip: MAIL.ip };
  for (const queueId of ["AAAA1", "AAAA2"]) {
    all.send(queueId, LARGE, mail);
    assert.equal(all.send(queueId, LARGE, { ...mail, weightBytes: 2 * LARGE }), null);
  }
  all.send("BBBB1", LARGE, place("198.51.1.1"));
  assert.equal(all.send("BBBB1", LARGE, { ...place("198.51.1.1"), weightBytes: 2 * LARGE }), null);
});

test("if Rspamd is blocked while no mail has a turn, no one waits", () => {
  const all = server();
  all.send("AAAA1", 5_000);
  blocked(all, 20);
  assert.equal(hiding(all, "AAAA2", MAIL.ip), null);
});

test("an account whose mails blocked Rspamd for half a minute waits; other accounts do not", () => {
  const all = server();
  for (const queueId of ["AAAA1", "AAAA2", "AAAA3"]) {
    assert.equal(hiding(all, queueId, "anna@example.test"), null);
    blocked(all, 5);
    all.load.observe({ ...DELIVERED, queueId });
  }
  assert.equal(hiding(all, "BBBB1", "anna@example.test"), null);
  blocked(all, 2);
  all.load.observe({ ...DELIVERED, queueId: "BBBB1" });
  assert.equal(hiding(all, "AAAA4", "anna@example.test"), "waits_for_turn");
  assert.equal(hiding(all, "BBBB2", "bert@example.test"), null);
  all.clock.advance(MINUTE_MS);
  assert.equal(hiding(all, "AAAA4", "anna@example.test"), null);
});

test("if a mail with a turn ended Rspamd, only its sender is suspected", () => {
  const all = server();
  const failed = (queueId: string) => all.load.observe({ ...REFUSED, queueId, reply: MILTER_FAILED });
  const [anna, other] = [place("198.51.2.1", ANNA), place("198.51.3.1")];
  assert.equal(hiding(all, "AAAA1", "198.51.1.1"), null);
  all.send("BBBB1", 5_000, anna);
  all.send("BBBB2", 5_000, other);
  all.clock.advance(17_000);
  for (const queueId of ["BBBB1", "AAAA1", "BBBB2"]) failed(queueId);
  const isSuspect = [anna, other, place("198.51.1.1")].map((one) => all.load.isSuspect(one));
  assert.deepEqual(isSuspect, [false, false, true]);
});

test("strangers at known addresses have separate turns", () => {
  const all = server();
  const known = (queueId: string): string => {
    const asked = all.ask({ queueId, mayHideParts: true }, (of) => (of === "known_waits_too" ? BUSY : PASS));
    return `${asked.verdict} ${asked.of}`;
  };
  assert.equal(known("AAAA1"), "pass null", "it takes a free turn of strangers");
  assert.equal(known("AAAA2"), "pass waits_for_turn");
  assert.equal(known("AAAA3"), "defer known_waits_too");
  all.load.observe({ ...DELIVERED, queueId: "AAAA2" });
  assert.equal(known("AAAA4"), "pass waits_for_turn");
});

test("a network whose turns were long and kept out others gets its next one after a quarter of an hour", () => {
  const all = server();
  for (const turn of [1, 2, 3, 4, 5]) {
    assert.equal(hiding(all, "AAAA1", `2001:db8:${turn}:1::1`), null, "short turns of one block");
    assert.equal(hiding(all, "BBBB1", "198.51.1.1"), "waits_for_turn");
    all.clock.advance(1_000);
    all.done("AAAA1");
  }
  assert.equal(hiding(all, "AAAA2", "2001:db8:7:2::1"), "waits_for_turn");
  assert.equal(hiding(all, "BBBB1", "198.51.1.1"), null);
  assert.equal(hiding(all, "AAAA3", "2001:db8:7:2::1"), "waits_for_turn");
  all.clock.advance(4_000);
  all.done("BBBB1");
  assert.equal(hiding(all, "BBBB2", "198.51.1.1"), null, "a network that must wait keeps out no other");
  all.done("BBBB2");
  all.clock.advance(15 * MINUTE_MS);
  assert.equal(hiding(all, "AAAA4", "2001:db8:7:3::1"), null);
});

test("a network that keeps out no other has turn after turn", () => {
  const all = server();
  for (let turn = 0; turn < 5; turn++) {
    assert.equal(hiding(all, `AAAA${turn}`, "198.51.1.1"), null);
    all.clock.advance(30_000);
  }
});

test("accounts wait neither for strangers nor for each other, and one has three such mails at once", () => {
  const all = server();
  assert.equal(hiding(all, "AAAA1", "198.51.1.1"), null);
  for (const queueId of ["BBBB1", "BBBB2", "BBBB3"]) assert.equal(hiding(all, queueId, "anna@example.test"), null);
  assert.equal(hiding(all, "BBBB4", "Anna@example.test"), "waits_for_turn");
  assert.equal(hiding(all, "CCCC1", "bert@example.test"), null);
  all.load.observe({ ...DELIVERED, queueId: "BBBB1" });
  assert.equal(hiding(all, "BBBB5", "anna@example.test"), null);
});

for (const [source, more] of [
  ["network", (i: number) => ({ ip: ip(`2001:db8:7:${i}::1`) })],
  ["account", (i: number) => ({ account: "anna@example.test", ip: ip(`198.51.${i}.1`) })],
] as const)
  test(`one ${source} cannot make the large mail of all strangers wait`, () => {
    const all = server();
    const limits = [1, 2, 3, 4, 5].map((i) => all.send(`AAAA${i}`, LARGE, more(i)));
    assert.equal(limits.at(-1), source === "account" ? null : "bytes_in_filters");
    assert.equal(all.send("BBBB1", LARGE, { ip: ip("192.0.2.1") }), null);
  });

test("a mail whose end no line shows makes room after a minute", () => {
  const all = busyServer();
  all.clock.advance(MINUTE_MS - 1);
  assert.equal(all.send("BBBB1"), "bytes_in_filters");
  all.clock.advance(1);
  assert.equal(all.send("BBBB1"), null);
});
