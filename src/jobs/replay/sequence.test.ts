import assert from "node:assert/strict";
import { test } from "node:test";
import { BAN, NOON, STRANGER } from "../../../test/kit/samples.ts";
import { decision } from "../../core/decide/decision.ts";
import { changeRecord } from "../../core/events/command.ts";
import { type EventRecord, recordOf } from "../../core/events/event.ts";
import type { Seen } from "../../core/events/seen.ts";
import { hostPrefix } from "../../core/net/ip.ts";
import { later, MINUTE_MS } from "../../core/time.ts";
import type { Recorded } from "./recorded-events.ts";
import { inOrder, type ReplayStep } from "./sequence.ts";

const LOGIN = { ip: STRANGER, service: "imap", login: "anna@example.org", passwordHash: "x" } as const;

function failed(id: number, seen?: Seen, afterMs = id): Recorded {
  const at = later(NOON, afterMs);
  const event = { type: "LOGIN_FAILED", ...LOGIN } as const;
  const record = recordOf(event, decision("pass", "below_limit"), { prefix: hostPrefix(STRANGER), at, seen });
  return { id, record };
}

function shown(step: ReplayStep): string {
  return step.type === "decided" ? `${step.id}` : step.type === "asked" ? `asked ${step.report}` : step.type;
}

test("a sign-in is asked about at its original time, before later events", () => {
  const asked = (after: number, nth: number): Seen => ({ asked: { at: NOON, after, nth } });
  const steps = inOrder([failed(1), failed(2), failed(3, asked(1, 2)), failed(4, asked(1, 1)), failed(5, asked(3, 3))]);
  assert.deepEqual([...steps].map(shown), ["1", "asked 4", "asked 3", "2", "3", "asked 5", "4", "5"]);
});

test("a question from long ago is still asked in its place", () => {
  const asked: Seen = { asked: { at: NOON, after: 1, nth: 1 } };
  const steps = [...inOrder([failed(1), failed(2), failed(3, asked, 2 * MINUTE_MS)])];
  assert.deepEqual(steps.map(shown), ["1", "asked 3", "2", "3"]);
});

test("a question before the first row after a restart comes after the restart", () => {
  const asked = (nth: number): Seen => ({ asked: { at: NOON, after: 2, nth } });
  const steps = inOrder([failed(1), failed(2), failed(3, { ...asked(2), restarted: true }), failed(4, asked(1))]);
  assert.deepEqual([...steps].map(shown), ["1", "2", "restarted", "asked 4", "asked 3", "3", "4"]);
});

test("a ban that an administrator's session prevented is not decided again", () => {
  const event = { type: "BAN_ASKED", prefix: hostPrefix(STRANGER), note: "n", durationMs: null, by: "root" } as const;
  const row = (id: number, reason: "admin_session" | "own_address"): Recorded => {
    const record = recordOf(event, decision("refuse", reason), { prefix: event.prefix, at: NOON });
    return { id, record };
  };
  const steps = inOrder([row(1, "admin_session"), row(2, "own_address")]);
  assert.deepEqual([...steps].map(shown), ["noted", "command"]);
});

test("bans belong to the event that caused them; ends of bans and old entries are separate", () => {
  const ban = changeRecord({ type: "BAN", ban: BAN }, NOON);
  const by = "engine";
  const over = changeRecord({ type: "LIFT", prefix: BAN.prefix, cause: "BAN_EXPIRED", forgiven: false, by }, NOON);
  const row = (id: number, record: EventRecord | null): Recorded => ({ id, record });
  const steps = [...inOrder([failed(1, undefined, 0), row(2, ban), row(3, over), row(4, null)])];
  assert.deepEqual(steps.map(shown), ["1", "command"]);
  const [first] = steps;
  assert.ok(first?.type === "decided");
  assert.deepEqual(first.bans, [{ prefix: BAN.prefix, code: BAN.code, expiresAt: BAN.expiresAt }]);
});
