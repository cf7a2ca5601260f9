import assert from "node:assert/strict";
import { join } from "node:path";
import { after } from "node:test";
import type { KeeperCommand, KeeperReply } from "../../src/admin/declare/keeper.ts";
import { createKeeperClient } from "../../src/host/sockets/keeper-client.ts";
import { createKeeperServer } from "../../src/surfaces/keeper-server.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

/** A keeper that gives this reply through its real socket until the test ends, and the commands that it received. */
export async function keeperOnSocket(reply: KeeperReply = { ok: true, detail: "" }) {
  const asked: KeeperCommand[] = [];
  const path = join(temporaryDirectory(), "keeper.sock");
  const obey = (command: KeeperCommand) => {
    asked.push(command);
    return Promise.resolve(reply);
  };
  const server = createKeeperServer(obey, (code) => assert.fail(code));
  await server.start(path);
  after(() => server.stop(1_000));
  return { keeper: createKeeperClient(path), asked };
}
