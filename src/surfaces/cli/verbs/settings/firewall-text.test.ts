import assert from "node:assert/strict";
import { test } from "node:test";
import { type Opening, parseDoor } from "../../../../core/firewall/strict.ts";
import { firewallState } from "../../../../host/firewall/firewall-state.ts";
import { nftStrict } from "../../../../host/nft/strict-rules.ts";
import { shownState } from "./firewall.ts";

const OPEN: Opening = { doors: [parseDoor("22/tcp4") ?? assert.fail()], trusted: ["wg0"] };
const STRICT = { "firewall.enabled": true, "firewall.mode": "strict" } as const;
const BANS = { ...STRICT, "firewall.mode": "bans" } as const;
const MADE = nftStrict(OPEN, null);
const TRIED = nftStrict(null, { opening: OPEN, lastsS: 90 }).replaceAll(/timeout (\d+s)/g, "timeout $1 expires $1");

for (const [state, settings, confirmed, listing, says] of [
  ["bans", BANS, null, "", /^Firewall: mode bans; .*every port is open to others\.$/],
  ["off", { ...BANS, "firewall.enabled": false }, null, "", /off \(firewall\.enabled\)/],
  ["unknown", STRICT, OPEN, null, /takes root/],
  ["confirmed", STRICT, OPEN, MADE, /^Firewall: mode strict; open: 22\/tcp \(IPv4\), everything from wg0\.$/],
  ["trial", STRICT, null, TRIED, /WAITS FOR A CONFIRMATION for another 90s .*; open: 22\/tcp/],
  ["unconfirmed", STRICT, null, "", /NOT IN FORCE, because it was not confirmed .*; every port is open\.$/],
  ["broken", STRICT, OPEN, "", /was changed \(the table is gone\); every port is open\.$/],
  ["broken", STRICT, { ...OPEN, trusted: [] }, MADE, /other connections than those confirmed/],
  ["broken", STRICT, OPEN, MADE.replace("goto confirmed", "accept"), /was changed \(accept\)/],
] as const)
  test(`the firewall is ${state}: ${says.source}`, () => {
    const found = firewallState(settings, { confirmed, trial: null }, listing);
    assert.equal(found.state, state);
    assert.match(shownState(found), says);
  });
