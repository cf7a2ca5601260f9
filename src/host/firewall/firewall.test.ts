import assert from "node:assert/strict";
import { test } from "node:test";
import { net } from "../../../test/kit/samples.ts";
import { instant } from "../../core/time.ts";
import { NftFirewall } from "./firewall.ts";
import { onlyBans } from "./guard-table.ts";
import { isMissing, runTool } from "./run-nft.ts";

/** test/lab/firewall.test.ts tests a real kernel. */
test("without nft and ss every answer is one clear sentence", async () => {
  const firewall = new NftFirewall(() => onlyBans(64), "/nonexistent");
  const network = net("203.0.113.7");
  const reason = "The program `nft` is not installed (Debian package nftables).";
  const now = instant(0);
  assert.deepEqual(await firewall.reset([], [], now), { ok: false, reason });
  assert.deepEqual(await firewall.apply([{ id: 1, type: "add", prefix: network, expiresAt: null }], now), {
    ok: false,
    reason,
  });
  assert.deepEqual(await firewall.apply([], now), { ok: true }, "nothing to do is nothing to fail");
  assert.deepEqual(await firewall.check(), { ok: false, reason });
  assert.deepEqual(await firewall.remove(), { ok: false, reason });
  assert.deepEqual(await firewall.cut([network]), {
    ok: false,
    reason: "The program `ss` is not installed (Debian package iproute2).",
  });
  assert.deepEqual(await firewall.cut([]), { ok: true }, "nothing to cut takes no process");
  await firewall.close();
});

test("a missing tool is distinguished from one that fails", async () => {
  const options = { timeoutMs: 5_000 };
  assert.ok(isMissing((await runTool("no-such-tool", [], options)).stderr));
  const failed = await runTool("sh", ["-c", "echo spawn failed >&2; exit 127"], options);
  assert.ok(failed.code === 127 && !isMissing(failed.stderr));
});
