import assert from "node:assert/strict";
import { test } from "node:test";
import { checkedServer } from "../../../../test/kit/checked-server.ts";
import type { QueueEntry } from "../../../admin/queue.ts";
import { instant, MINUTE_MS } from "../../../core/time.ts";
import { createRelayWatch } from "./watch-relay.ts";

const { settings } = checkedServer();
const NOW = instant(Date.parse("2026-11-21T08:00:00Z"));
const AT = "smtp.relay.example[198.51.100.91]";
const WRONG = `SASL authentication failed; server ${AT} said: 535 5.7.8 no: secret`;
const AWAY = `connect to ${AT}:587: Connection refused`;

test("one notice for all mail that waits for the relay; an unreachable relay is reported only after a while", async () => {
  const { look, queue } = relayWatch();
  assert.deepEqual(await look(), []);
  queue.push(waits(AWAY, 14), waits("host x[198.51.100.1] said: 451 later", 60));
  assert.deepEqual(await look(), []);
  queue.push(waits(AWAY, 15));
  assert.match((await look())[0]?.detail ?? "", /^smtp\.relay\.example:587: it cannot be reached .*; 1 mail waiting$/);
  queue.push(waits(WRONG, 0));
  const [only, ...others] = await look();
  assert.deepEqual(others, []);
  assert.equal(only?.code, "relay_refuses");
  assert.match(only?.detail ?? "", /refuses the name or the password \(535 5\.7\.8\); 2 mails waiting$/);
  assert.doesNotMatch(only?.detail ?? "", /secret/);
  queue.length = 0;
  assert.deepEqual(await look(), []);
});

test("tries before the relay was set are ignored", async () => {
  const { watch, look, queue } = relayWatch();
  queue.push(waits("connect to mx.example.net[203.0.113.1]:25: Connection timed out", 60));
  queue.push(waits("Server certificate not trusted", 60));
  watch.use({ ...settings, "outbound.relay": "[other.relay.example]:587" });
  assert.deepEqual(await look(), []);
  queue.push(waits("Server certificate not trusted", 0));
  assert.match((await look())[0]?.detail ?? "", /^other\.relay\.example:587: its certificate .*; 1 mail waiting$/);
  watch.use({ ...settings, "outbound.relay": "[third.relay.example]:587" });
  assert.deepEqual(watch.troubles(), []);
});

test("after an hour all mail was tried at the relay, and its limits are reported", async () => {
  const { watch, look, queue, later } = relayWatch();
  watch.use({ ...settings, "outbound.relay": "[other.relay.example]:587" });
  queue.push(waits("Cannot start TLS: handshake failure", 1));
  later(69);
  assert.deepEqual(await look(), []);
  later(70);
  assert.equal((await look()).length, 1);
  queue.splice(0, 1, waits("host other.relay.example[203.0.113.1] said: 451 limit (in reply to MAIL FROM command)", 0));
  assert.match((await look())[0]?.detail ?? "", /: it accepts no mail for now \(451\); 1 mail waiting$/);
});

test("an unreadable queue changes nothing; without a relay, nothing about one is reported", async () => {
  const { watch, look, queue, fail } = relayWatch();
  queue.push(waits(WRONG, 0), waits("Server certificate not trusted", 60));
  await look();
  fail("postqueue failed");
  assert.equal((await look()).length, 1);
  watch.use(settings);
  fail("");
  assert.deepEqual(await look(), []);
});

test("mail that Dovecot cannot store is reported after a while, also without a relay", async () => {
  const { watch, look, queue, pass } = relayWatch();
  watch.use(settings);
  const dovecot = "mail.example.org[private/dovecot-lmtp]";
  const failing = `host ${dovecot} said: 451 4.3.0 <anna@example.org> Temporary internal error`;
  queue.push(waits(failing, 14), waits(`host ${dovecot} said: 452 4.2.2 <bob@example.org> Quota exceeded`, 90));
  queue.push({ ...waits(failing, 90), queue: "hold" });
  assert.deepEqual(await look(), []);
  queue.push(waits(failing, 15), waits(`delivery temporarily suspended: connect to ${dovecot}: No such file`, 20));
  pass(MINUTE_MS - 1);
  assert.deepEqual(await look(), []);
  pass(1);
  const detail = "Dovecot cannot store 2 mails (451 4.3.0)";
  assert.deepEqual(await look(), [{ code: "mail_unstored", detail }]);
});

for (const [takesMs, pauseMs] of [
  [2_000, 20_000],
  [30_000, 60_000],
] as const)
  test(`a queue that takes ${takesMs} ms to read is read less often, but often enough`, async () => {
    const { look, calls, pass } = relayWatch({ takesMs });
    await look();
    pass(pauseMs - 1);
    await look();
    assert.equal(calls(), 1);
    pass(1);
    await look();
    assert.equal(calls(), 2);
  });

function relayWatch({ takesMs = 0 } = {}) {
  const queue: QueueEntry[] = [];
  let [elapsed, calls, failure, now] = [0, 0, "", NOW];
  const readQueue = async (take: (entry: QueueEntry) => void) => {
    calls += 1;
    elapsed += takesMs;
    queue.forEach(take);
    return failure === "" ? null : failure;
  };
  const relayed = { ...settings, "outbound.relay": "[smtp.relay.example]:587" };
  const watch = createRelayWatch({ now: () => now }, readQueue, relayed, () => elapsed);
  const fail = (why: string): void => void (failure = why);
  const later = (minutes: number): void => void (now = instant(NOW + minutes * MINUTE_MS));
  const look = async () => {
    await watch.look();
    return watch.troubles();
  };
  return { watch, look, queue, later, calls: () => calls, fail, pass: (ms: number) => void (elapsed += ms) };
}

function waits(reason: string, minutes: number): QueueEntry {
  const recipients = [{ address: "bob@example.net", reason }];
  return { id: "72CED1EABE5", queue: "deferred", at: NOW - minutes * MINUTE_MS, sizeBytes: 1, sender: "", recipients };
}
