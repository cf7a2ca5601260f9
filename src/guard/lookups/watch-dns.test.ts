import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock, NoticeBoard } from "../../../test/kit/engine-kit.ts";
import { MINUTE_MS, SECOND_MS } from "../../core/time.ts";
import type { NameAnswer } from "../network-ports.ts";
import { createDnsWatch } from "./watch-dns.ts";

test("six questions in a row without an answer are reported, until one is answered", async () => {
  const [clock, notices, asked] = [new HandClock(), new NoticeBoard(), new Set<string>()];
  let answer: NameAnswer = { type: "failed", why: "ECONNREFUSED" };
  const v4Addresses = (name: string): Promise<NameAnswer> => {
    asked.add(name);
    return Promise.resolve(answer);
  };
  const watch = createDnsWatch({ names: { v4Addresses }, domain: () => "example.org", notices, clock });
  for (let i = 0; i < 6; i++) {
    await watch.look();
    clock.advance(MINUTE_MS);
  }
  assert.equal(asked.size, 6);
  assert.ok(!notices.raised.has("dns_failing"), "another notice says that the resolver does not run");
  asked.clear();
  answer = { type: "failed", why: "ESERVFAIL" };
  for (const isReported of [false, false, false, false, false, true]) {
    await watch.look();
    assert.equal(notices.raised.has("dns_failing"), isReported);
    clock.advance(9 * SECOND_MS);
    await watch.look();
    clock.advance(SECOND_MS);
  }
  assert.equal(asked.size, 6, "each name is new, one every ten seconds");
  for (const name of asked) assert.match(name, /^[0-9a-f]{8}\.example\.org$/);
  answer = { type: "none" };
  await watch.look();
  assert.ok(!notices.raised.has("dns_failing"));
  clock.advance(MINUTE_MS - SECOND_MS);
  await watch.look();
  assert.equal(asked.size, 7, "one a minute while it answers");
});
