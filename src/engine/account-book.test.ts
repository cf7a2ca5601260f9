import assert from "node:assert/strict";
import { test } from "node:test";
import { engineOnMemory, TEST_POLICY } from "../../test/kit/engine-kit.ts";
import type { LoginFacts } from "../core/event.ts";
import { ip } from "../core/samples.ts";
import { MINUTE_MS } from "../core/time.ts";

const LIMIT = TEST_POLICY.accounts.failures;
const login = (i: number, of: Partial<LoginFacts> = {}): LoginFacts => ({
  ip: ip(`2001:db8:${i.toString(16)}::1`),
  service: "imap",
  login: "anna@example.test",
  passwordHash: `p${i}`,
  ...of,
});

test("of passwords that arrive all at once, no more than the limit go to verification", async () => {
  const { engine } = engineOnMemory();
  const asked = await Promise.all(
    Array.from({ length: 500 }, (_, i) => engine.ask({ type: "LOGIN_ASKED", ...login(i + 1) })),
  );
  assert.equal(asked.filter(({ verdict }) => verdict === "pass").length, LIMIT);
  const failed = await engine.ask({ type: "LOGIN_FAILED", ...login(1) });
  assert.equal(failed.verdict, "pass");
  assert.equal((await engine.ask({ type: "LOGIN_ASKED", ...login(501) })).reason, "account_guarded");
});

test("what Dovecot never told the end of makes room after a minute, whichever way the clock went", async () => {
  for (const byMs of [MINUTE_MS, -MINUTE_MS]) {
    const { engine, clock } = engineOnMemory();
    const asked = () =>
      Promise.all(Array.from({ length: LIMIT }, (_, i) => engine.ask({ type: "LOGIN_ASKED", ...login(i + 1) })));
    await asked();
    clock.advance(byMs);
    assert.ok((await asked()).every(({ verdict }) => verdict === "pass"));
  }
});

test("right passwords of many at once do not guard an account", async () => {
  const { engine } = engineOnMemory();
  for (let i = 1; i <= 3 * LIMIT; i++) {
    const event = login(i, { passwordHash: "right" });
    assert.equal((await engine.ask({ type: "LOGIN_ASKED", ...event })).verdict, "pass");
    await engine.ask({ type: "LOGIN_SUCCEEDED", ...event });
  }
});

test("a guarded account stays guarded while strangers go on, and opens a window after the last", async () => {
  const { engine, clock } = engineOnMemory();
  for (let i = 1; i <= LIMIT; i++) await engine.ask({ type: "LOGIN_FAILED", ...login(i) });
  for (let i = 1; i <= 5 * LIMIT; i++) {
    clock.advance(Math.floor(TEST_POLICY.accounts.windowMs / (LIMIT + 1)));
    const decided = await engine.ask({ type: "LOGIN_ASKED", ...login(1_000 + i) });
    assert.equal(decided.reason, "account_guarded", `guess ${i}`);
  }
  clock.advance(TEST_POLICY.accounts.windowMs);
  assert.equal((await engine.ask({ type: "LOGIN_ASKED", ...login(9_999) })).verdict, "pass");
});
