import assert from "node:assert/strict";
import { test } from "node:test";
import { engineOnMemory } from "../../../test/kit/engine-kit.ts";
import { mailAddress } from "../../../test/kit/samples.ts";
import { keeperFault, notServed, wrongAddress } from "./refusals.ts";

test("passes on the keeper's reason; an answer without the requested field means a different version", () => {
  assert.equal(keeperFault({ ok: false, reason: "The keeper hung up." }).message, "The keeper hung up.");
  assert.equal(keeperFault({ ok: true, detail: "" }).message, "The keeper runs a different version.");
});

test("an address in an unserved domain is refused with a list of the served ones", () => {
  const { engine } = engineOnMemory();
  engine.setPolicy({ ...engine.policy, domains: ["example.test", "example.org"] });
  assert.equal(notServed(engine, mailAddress("anna@example.org")), null);
  assert.match(
    notServed(engine, mailAddress("anna@else.test"))?.message ?? "",
    /^else\.test is not a mail domain of this server \(example\.test, example\.org\)\.$/,
  );
});

test("an invalid address is shown, shortened and printable, with an example of a valid one", () => {
  const { kind, message, next } = wrongAddress(`\u001b[2J${"x".repeat(200)}`);
  assert.equal(kind, "usage");
  assert.ok(message.length < 120 && !message.includes("\u001b"), message);
  assert.match(next, /alice@example\.org/);
});
