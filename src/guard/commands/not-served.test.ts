import assert from "node:assert/strict";
import { test } from "node:test";
import { engineOnMemory } from "../../../test/kit/engine-kit.ts";
import { mailAddress } from "../../../test/kit/test-database.ts";
import { notServed } from "./refusals.ts";

test("an address in an unserved domain is refused with a list of the served ones", () => {
  const { engine } = engineOnMemory();
  engine.setPolicy({ ...engine.policy, domains: ["example.test", "example.org"] });
  assert.equal(notServed(engine, mailAddress("anna@example.org")), null);
  assert.match(
    notServed(engine, mailAddress("anna@else.test"))?.message ?? "",
    /^else\.test is not a mail domain of this server \(example\.test, example\.org\)\.$/,
  );
});
