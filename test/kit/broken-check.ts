import assert from "node:assert/strict";
import { test } from "node:test";
import type { State } from "../../src/surfaces/cli/check/check.ts";
import { groups } from "../../src/surfaces/cli/check/run-checks.ts";
import { type CheckedParts, checkedServer } from "./checked-server.ts";

type Server = () => CheckedParts | Promise<CheckedParts>;
/** A server with one broken part, and what the check must report. */
export type Broken = Readonly<{ state: State; saw: RegExp; server: Server }>;

export const unknown = reportedAs("unknown");
export const warning = reportedAs("warning");
export const wrong = reportedAs("wrong");

function reportedAs(state: State) {
  return (saw: RegExp, server: Server): Broken => ({ state, saw, server });
}

/** A test for each check: it finds what is broken, and says what helps. */
export function findEach(broken: Readonly<Record<string, Broken>>): void {
  for (const [id, { state, saw, server }] of Object.entries(broken))
    void test(`${id} finds what is broken`, async () => {
      const [group = "", name = ""] = id.split(".");
      const check = groups.find((one) => one.name === group)?.checks[name];
      assert.ok(check !== undefined);
      const found = await check.look(checkedServer(await server()));
      assert.equal(found.state, state, found.saw);
      assert.match(found.saw, saw);
      if (state !== "unknown") assert.notEqual(found.fix, "", "it says what helps");
    });
}
