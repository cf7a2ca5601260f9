import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, beforeEach, test } from "node:test";
import { planReset } from "../../src/core/firewall/plan-firewall.ts";
import { later } from "../../src/core/time.ts";
import type { FirewallBan } from "../../src/guard/network-ports.ts";
import { nftReset, onlyBans } from "../../src/host/firewall/guard-table.ts";
import { net } from "../kit/samples.ts";
import { type FirewallLab, OK } from "./firewall-kit.ts";

export function firewallResetTests(kitOf: () => FirewallLab): void {
  let kit: FirewallLab;
  before(() => {
    kit = kitOf();
  });
  beforeEach(async () => assert.deepEqual(await kit.firewall.reset([], [], kit.now()), OK));

  test("bans that cannot be read to their end change nothing: who was banned stays banned", async () => {
    await kit.apply(["add", "198.51.100.243"]);
    function* broken(): Generator<FirewallBan> {
      for (let i = 0; i < 5_000; i++)
        yield { prefix: net(`11.0.${i >> 8}.${i & 255}`), expiresAt: later(kit.now(), 3_600_000) };
      throw new Error("the disk failed");
    }
    assert.deepEqual(await kit.firewall.reset(broken(), [], kit.now()), {
      ok: false,
      reason: "nft failed: the disk failed.",
    });
    await kit.banned("198.51.100.243");
    await kit.passes("198.51.100.244");
    assert.deepEqual(await kit.firewall.check(), OK);
  });

  test("nft refuses a reset that ends too early, wherever, and the table stays", async () => {
    await kit.apply(["add", "198.51.100.243"]);
    const bans = Array.from({ length: 2_500 }, (_, i) => ({
      prefix: net(`11.0.${i >> 8}.${i & 255}`),
      expiresAt: null,
    }));
    const text = [...nftReset(planReset(bans, kit.now(), 64).fillings, [], onlyBans(64))].join("");
    const head = text.indexOf("{") + 1;
    const file = join(kit.lab.directory, "cut-off.nft");
    for (let part = 0; part < 20; part++) {
      writeFileSync(file, text.slice(0, head + Math.floor(((text.length - 3 - head) * part) / 19)));
      await assert.rejects(kit.lab.server.mustExec(["nft", "-f", file]), /syntax error/);
    }
    await kit.banned("198.51.100.243");
    assert.deepEqual(await kit.firewall.check(), OK);
  });
}
