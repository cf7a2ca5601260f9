import assert from "node:assert/strict";
import { test } from "node:test";
import { ip } from "../../../test/kit/samples.ts";
import { webGateOnMemory } from "../../../test/kit/web-gate-kit.ts";
import { ROLES, type Scope } from "../../core/access/scopes.ts";
import { MINUTE_MS } from "../../core/time.ts";
import { digestOf } from "../access/secrets.ts";
import { NETWORK_DECISION_RUNS } from "./bans.ts";
import { WEB_LIMITS } from "./web/web-bounds.ts";

/** Addresses where administrators work are not banned. */
function spared() {
  const kit = webGateOnMemory();
  /** Returns why a request is refused; null if it is admitted. */
  const useFrom = (from: string, as = "5e".repeat(32)): string | null => {
    const admitted = kit.admit({ verb: "caller", isUse: true }, { as, ip: from });
    return "error" in admitted ? (admitted.error.denied ?? admitted.error.message) : null;
  };
  const isSpared = async (target: string): Promise<boolean> =>
    !(await NETWORK_DECISION_RUNS.ban(kit, { verb: "ban", target: ip(target), note: "", for: null }, "root")).ok;
  return { kit, useFrom, isSpared };
}

test("spares a bounded number of addresses as an administrator's, and never a stranger's", async () => {
  const { kit, useFrom, isSpared } = spared();
  assert.equal(useFrom("198.51.100.99", "0".repeat(64)), "unauthorized");
  assert.ok(!(await isSpared("198.51.100.99")));
  for (let i = 0; i < WEB_LIMITS.administrators; i++) assert.equal(useFrom(`198.51.100.${i}`), null);
  assert.equal(useFrom("198.51.100.200"), null, "it is carried out anyway");
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(kit.refused(), ["caller by web:admin via 198.51.100.200"]);
  assert.ok(await isSpared("198.51.100.0"));
  assert.ok(!(await isSpared("198.51.100.200")));
  kit.clock.advance(31 * MINUTE_MS);
  useFrom("198.51.100.200");
  assert.ok(await isSpared("198.51.100.200"));
});

test("a token that may change no ban spares no address either", async () => {
  const { kit, useFrom, isSpared } = spared();
  const at = kit.clock.now();
  const tokens: readonly (readonly [readonly Scope[], string, boolean])[] = [
    [ROLES.viewer, "198.51.100.1", false],
    [["read", "queue"], "198.51.100.2", false],
    [ROLES.operator, "198.51.100.3", true],
    [ROLES.owner, "198.51.100.4", true],
  ];
  for (const [scopes, from, spares] of tokens) {
    const [secret, name] = [`gi_${scopes.join("")}`, scopes.join("-")];
    kit.credentials.createToken({ name, digest: digestOf(secret), scopes, by: "root", at, expiresAt: null });
    assert.equal(useFrom(from, secret), null);
    assert.equal(await isSpared(from), spares, name);
  }
});
