import assert from "node:assert/strict";
import { test } from "node:test";
import { commandsOf } from "../../../../test/kit/commands-kit.ts";
import { isoTime, later } from "../../../core/time.ts";

const NAME = "alice@example.test";
const AWAY = { subject: "Away", text: "I am in Rome.", until: null };

const kit = commandsOf(import.meta.filename, NAME);

type Written = Readonly<{ subject: string; text: string; until: string | null }>;
const set = (vacation: Written | null, name = NAME) =>
  kit.ask({ verb: "vacation_set", name, ...(vacation ?? { subject: "", text: null, until: null }) });

test("a reply is set and ended, and each change is recorded without its text", async () => {
  assert.deepEqual(await set(AWAY), { ok: true, result: { name: NAME, vacation: AWAY } });
  assert.deepEqual(kit.vacationOf(NAME), AWAY);
  const until = isoTime(later(kit.clock.now(), 60_000));
  await set({ ...AWAY, until });
  await set(null);
  assert.equal(kit.vacationOf(NAME), null);
  assert.deepEqual(kit.details().slice(1), [
    `${NAME} until it is ended by root`,
    `${NAME} until ${until} by root`,
    `${NAME} no longer by root`,
  ]);
  assert.deepEqual(new Set(kit.types().slice(1)), new Set(["VACATION_CHANGED"]));
});

test("a reply without text, with a past end, or for a missing account is refused and changes nothing", async () => {
  for (const [reply, kind] of [
    [await set(AWAY, "nonsense"), "usage"],
    [await set(AWAY, "nobody@example.test"), "failed"],
    [await set({ ...AWAY, text: " " }), "usage"],
    [await set({ ...AWAY, until: isoTime(kit.clock.now()) }), "usage"],
  ] as const)
    assert.ok(!reply.ok && reply.kind === kind);
  assert.equal(kit.vacationOf(NAME), null);
});
