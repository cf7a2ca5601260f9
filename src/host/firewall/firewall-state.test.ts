import assert from "node:assert/strict";
import { test } from "node:test";
import { opening } from "../../../test/kit/samples.ts";
import { parseKeeperReply } from "../../admin/declare/keeper.ts";
import { firewallState, stateJson } from "./firewall-state.ts";
import { nftStrict } from "./strict-rules.ts";

const OPEN = opening(["22/tcp4"], ["wg0"]);
const STRICT = { "firewall.enabled": true, "firewall.mode": "strict" } as const;

test("programs and the guard get the same state", () => {
  const state = firewallState(STRICT, { confirmed: OPEN, trial: null }, nftStrict(OPEN, null));
  const whole = { state: "confirmed", open: ["22/tcp4"], trusted: ["wg0"], confirmWithinSeconds: null, faults: [] };
  assert.deepEqual(stateJson(state), whole);
});

test("outside strict mode the state has no list of open ports", () => {
  const state = firewallState({ ...STRICT, "firewall.mode": "bans" }, { confirmed: null, trial: null }, "");
  const firewall = { state: "bans", open: null, trusted: [], confirmWithinSeconds: null, faults: [] };
  assert.deepEqual(stateJson(state), firewall);
  const reply = { ok: true, detail: "", firewall };
  assert.deepEqual(parseKeeperReply(JSON.stringify(reply)), reply);
});
