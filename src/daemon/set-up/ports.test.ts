import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { isListening, refuseBusyPorts, type ServerPort } from "./ports.ts";

test("a port in use is named with its setting and its holder; a free one passes", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const serverPort: ServerPort = {
    setting: "ports.http",
    port,
    address: "127.0.0.1",
    says: "dashboard",
    service: "web",
  };
  assert.ok(isListening(port));
  await assert.rejects(
    refuseBusyPorts([serverPort]),
    new RegExp(`Port ${port} for dashboard is in use by .+ \\(pid ${process.pid}\\): .* ports\\.http\\.$`),
  );
  await new Promise((resolve) => server.close(resolve));
  assert.ok(!isListening(port));
  await refuseBusyPorts([serverPort]);
});

test("an address that this machine has not is left to the program that wants it", async () => {
  const serverPort = {
    setting: "ports.http",
    port: 1,
    address: "203.0.113.77",
    says: "dashboard",
    service: "web",
  } as const;
  await refuseBusyPorts([serverPort]);
});
