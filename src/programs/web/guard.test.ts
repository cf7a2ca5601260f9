import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { patience } from "../../../test/kit/patience.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { guardAt } from "./guard.ts";

test("a health request about a hanging guard is answered within seconds", async (t) => {
  const directory = temporaryDirectory();
  const open = new Set<Socket>();
  const server = createServer((socket) => void open.add(socket.on("error", () => undefined)));
  t.after(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  const path = join(directory, "web.sock");
  server.listen(path);
  await once(server, "listening");
  const from = performance.now();
  const reply = await guardAt(path).ask("web", { verb: "health" });
  assert.ok(!reply.ok && reply.kind === "unreachable");
  assert.ok(performance.now() - from < patience(4_000));
  assert.equal(reply.mayBeDone, true);
  const absent = await guardAt(`${path}.none`).ask("web", { verb: "health" });
  assert.ok(!absent.ok && absent.kind === "unreachable" && absent.mayBeDone === undefined);
});
