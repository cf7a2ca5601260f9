import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ip } from "../../../test/kit/samples.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { createKernelConnections } from "./open-connections.ts";

test("without the files of proc(5) no client counts as connected; missing tools are reported", async () => {
  const kernel = createKernelConnections({ path: "/nonexistent", proc: "/nonexistent" });
  assert.deepEqual(await kernel.connections([25]), []);
  assert.equal(await kernel.sockets(), null);
  const sent = await kernel.sendOrders({ watched: [25], refused: [], full: [], known: [] }, 15);
  assert.ok(!sent.ok && sent.reason.startsWith("nft: "));
  await assert.rejects(kernel.passed([25]), /^Error: nft: /);
  const ended = await kernel.end([{ ip: ip("198.51.100.1"), clientPort: 40_000, port: 25 }]);
  assert.ok(!ended.ok && ended.reason.includes("iproute2"));
});

test("an ss that silently ends nothing is reported", async () => {
  const path = temporaryDirectory();
  const ss = join(path, "ss");
  writeFileSync(ss, '#!/bin/sh\n[ "$4" = -K ] || echo "ESTAB 0 0 192.0.2.1:25 198.51.100.1:40000"\n', { mode: 0o755 });
  const kernel = createKernelConnections({ path });
  const ended = await kernel.end([{ ip: ip("198.51.100.1"), clientPort: 40_000, port: 25 }]);
  assert.ok(!ended.ok && ended.reason.includes("INET_DIAG_DESTROY"));
});

test("1,000 connections are ended by one filter", async () => {
  const path = temporaryDirectory();
  const ss = join(path, "ss");
  writeFileSync(ss, '#!/bin/sh\necho $# >>"$0.calls"\necho ended\n', { mode: 0o755 });
  const kernel = createKernelConnections({ path });
  const many = Array.from({ length: 1_001 }, (_, i) => ({ ip: ip("2001:db8::1"), clientPort: 40_000 + i, port: 25 }));
  assert.deepEqual(await kernel.end(many), { ok: true });
  assert.equal(readFileSync(`${ss}.calls`, "utf8").split("\n").length - 1, 2);
});

test("the silences of thousands of connections are read from megabytes of ss output", async () => {
  const path = temporaryDirectory();
  const line = `0 0 192.0.2.1:25 198.51.100.1:%s cubic bytes_sent:40 lastsnd:9000 lastrcv:8000 ${"x".repeat(500)}\\n`;
  writeFileSync(join(path, "ss"), `#!/bin/sh\nseq 40001 43000 | xargs printf '${line}'\n`, { mode: 0o755 });
  const silences = await createKernelConnections({ path: `${path}:/usr/bin` }).silences([25]);
  assert.deepEqual([silences.size, ...new Set(silences.values())], [3_000, 8_000]);
});
