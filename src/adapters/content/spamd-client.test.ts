import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pingSpamd } from "./spamd-client.ts";

async function asked(answer: (socket: Socket) => void): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "ghostinbox-spamd-"));
  const server = createServer((socket) => {
    // What is not read keeps a connection from ending.
    socket.resume().on("error", () => socket.destroy());
    answer(socket);
  });
  await new Promise<void>((resolve) => server.listen(join(directory, "socket"), resolve));
  try {
    const outcome = await pingSpamd(join(directory, "socket"), 100);
    return outcome.ok ? "alive" : outcome.reason;
  } finally {
    await new Promise((resolve) => server.close(resolve));
    rmSync(directory, { recursive: true, force: true });
  }
}

test("only PONG is life", async () => {
  assert.equal(await asked((socket) => socket.end("SPAMD/1.5 0 PONG\r\n")), "alive");
  assert.match(await asked((socket) => socket.end("SPAMD/1.0 76 Bad header line\r\n")), /something else/);
  assert.match(await asked((socket) => socket.destroy()), /hung up|does not listen/);
});

test("one that is frozen says nothing, one that is dead does not listen", async () => {
  const held: Socket[] = [];
  const frozen = asked((socket) => held.push(socket));
  assert.match(await frozen, /said nothing for 0\.1 s/);
  const dead = await pingSpamd("/nonexistent/socket", 100);
  assert.deepEqual(dead, { ok: false, reason: "spamd does not listen (ENOENT)" });
});
