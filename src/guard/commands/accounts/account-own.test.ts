import assert from "node:assert/strict";
import { test } from "node:test";
import { commandsOf } from "../../../../test/kit/commands-kit.ts";
import { isoTime } from "../../../core/time.ts";

const NAME = "alice@example.test";
const AWAY = { subject: "Away", text: "I am in Rome.", until: null };
const FORWARDING = { to: ["alice@else.example"], keep: false };

const kit = commandsOf(import.meta.filename, NAME);

const VERBS = ["app_passwords", "forwarding", "vacation"] as const;
const of = (verb: (typeof VERBS)[number], name = NAME) => kit.ask({ verb, name });

test("distinguishes an account without own settings from a missing account", async () => {
  assert.deepEqual(await of("app_passwords"), { ok: true, result: { items: [] } });
  assert.deepEqual(await of("forwarding"), { ok: true, result: { to: [], keep: true } });
  assert.deepEqual(await of("vacation"), { ok: true, result: { vacation: null } });
  for (const verb of VERBS)
    assert.partialDeepStrictEqual(await of(verb, "nobody@example.test"), { ok: false, isMissing: true }, verb);
});

test("shows what was set, and reading it leaves no trace", async () => {
  await kit.ask({ verb: "app_password_add", name: NAME, app: "phone" });
  await kit.ask({ verb: "forward_set", name: NAME, ...FORWARDING });
  await kit.ask({ verb: "vacation_set", name: NAME, ...AWAY });
  const recorded = kit.types();
  const phone = { id: "phone", name: "phone", made: isoTime(kit.clock.now()), lastUsed: null, madeBy: "root" };
  assert.deepEqual(await of("app_passwords"), { ok: true, result: { items: [phone] } });
  assert.deepEqual(await of("forwarding"), { ok: true, result: FORWARDING });
  assert.deepEqual(await of("vacation"), { ok: true, result: { vacation: AWAY } });
  assert.deepEqual(kit.types(), recorded);
});
