import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { net } from "../../../test/kit/samples.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { instant } from "../../core/time.ts";
import { NftFirewall } from "./firewall.ts";
import { onlyBans } from "./guard-table.ts";

/** test/lab/firewall.test.ts tests a real kernel. */
test("without nft and ss every failure is one clear sentence", async () => {
  const firewall = new NftFirewall(() => onlyBans(64), "/nonexistent");
  const network = net("203.0.113.7");
  const missing = (program: string, of: string) =>
    ({ ok: false, reason: `The program \`${program}\` is not installed (Debian package ${of}).` }) as const;
  const now = instant(0);
  const nft = missing("nft", "nftables");
  assert.deepEqual(await firewall.reset([], [], now), nft);
  assert.deepEqual(await firewall.apply([{ id: 1, type: "add", prefix: network, expiresAt: null }], now), nft);
  assert.deepEqual(await firewall.apply([], now), { ok: true }, "with nothing to do, nothing fails");
  assert.deepEqual(await firewall.check("whole"), nft);
  assert.deepEqual(await firewall.holds([network]), nft);
  assert.deepEqual(await firewall.remove(), nft);
  assert.deepEqual(await firewall.cut([network]), missing("ss", "iproute2"));
  assert.deepEqual(await firewall.cut([]), { ok: true }, "nothing to cut takes no process");
  await firewall.close();
});

test("a stopped nft proves neither a lost table nor a kernel that cannot count", async () => {
  const path = temporaryDirectory();
  writeFileSync(join(path, "nft"), "#!/bin/sh\nkill -KILL $$\n", { mode: 0o755 });
  const connections = { most: 10, ports: [25], perPort: false };
  const firewall = new NftFirewall(() => ({ ...onlyBans(64), connections }), path);
  const stopped = { ok: false, reason: "nft failed: it was killed (SIGKILL); the memory may have run out." } as const;
  assert.deepEqual(await firewall.check("whole"), stopped);
  assert.deepEqual(await firewall.holds([net("203.0.113.7")]), stopped);
  writeFileSync(join(path, "nft"), '#!/bin/sh\n[ -e "$0.run" ] || { : > "$0.run"; kill -KILL $$; }\n', { mode: 0o755 });
  assert.deepEqual(await firewall.reset([], [], instant(0)), stopped);
  assert.deepEqual(await firewall.reset([], [], instant(0)), { ok: true });
});
