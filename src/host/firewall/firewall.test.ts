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
  const missing = (program: string, of: string) =>
    ({ ok: false, reason: `The program \`${program}\` is not installed (Debian package ${of}).` }) as const;
  const now = instant(0);
  const nft = missing("nft", "nftables");
  assert.deepEqual(await firewall.reset([], [], now), nft);
  assert.deepEqual(await firewall.apply([{ id: 1, type: "add", prefix: network, expiresAt: null }], now), nft);
  assert.deepEqual(await firewall.apply([], now), { ok: true }, "nothing to do is nothing to fail");
  assert.deepEqual(await firewall.check(), nft);
  assert.deepEqual(await firewall.remove(), nft);
  assert.deepEqual(await firewall.cut([network]), missing("ss", "iproute2"));
  assert.deepEqual(await firewall.cut([]), { ok: true }, "nothing to cut takes no process");
  await firewall.close();
});

test("a missing tool is distinguished from one that fails", async () => {
  const options = { timeoutMs: 5_000 };
  assert.ok(isMissing((await runTool("no-such-tool", [], options)).stderr));
  const failed = await runTool("sh", ["-c", "echo spawn failed >&2; exit 127"], options);
  assert.ok(failed.code === 127 && !isMissing(failed.stderr));
});
