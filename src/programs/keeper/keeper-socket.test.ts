import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { saying, servedSocket, silent } from "../../../test/kit/served.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import type { KeeperCommand } from "../../admin/declare/keeper.ts";
import { createKeeperClient } from "../../host/sockets/keeper-client.ts";
import { createKeeperServer } from "../../surfaces/keeper-server.ts";

const directory = temporaryDirectory();
const KICK = { verb: "kick_account", account: "anna@example.test" } as const;

describe("the keeper's socket", () => {
  const path = join(directory, "keeper.sock");
  const obeyed: KeeperCommand[] = [];
  const reported: string[] = [];
  const server = createKeeperServer(
    (command) => {
      obeyed.push(command);
      if (command.verb === "apply") return Promise.reject(new Error("disk full"));
      return Promise.resolve({ ok: true, detail: command.verb });
    },
    (code) => reported.push(code),
  );
  before(() => server.start(path));
  after(() => server.stop(100));

  test("belongs to one user and answers", async () => {
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.deepEqual(await createKeeperClient(path).ask({ verb: "ping" }), { ok: true, detail: "ping" });
  });

  test("refuses invalid requests before anything runs", async () => {
    const before = obeyed.length;
    const reply = await createKeeperClient(path).ask({ verb: "kick_account", account: "a b; reboot" });
    assert.deepEqual(reply, { ok: false, reason: "Unknown keeper command." });
    assert.equal(obeyed.length, before);
  });

  test("a command that throws gets an answer, and is reported", async () => {
    const reply = await createKeeperClient(path).ask({ verb: "apply" });
    assert.deepEqual(reply, { ok: false, reason: "The keeper could not do it: disk full", mayBeDone: true });
    assert.ok(reported.includes("internal_error"));
  });

  test("an endless line is cut off", async () => {
    const socket = connect(path);
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.on("error", () => undefined);
    socket.write("x".repeat(100_000));
    await closed;
    assert.ok(reported.includes("control_line_malformed"));
  });
});

test("questions about the use of mailboxes leave connections for everything else", async (t) => {
  const path = join(directory, "busy.sock");
  const counted = Promise.withResolvers<void>();
  const server = createKeeperServer(
    async ({ verb }) => {
      if (verb === "mailbox_use") await counted.promise;
      return { ok: true, detail: verb };
    },
    () => undefined,
  );
  await server.start(path);
  t.after(() => server.stop(100));
  const client = createKeeperClient(path);
  const use = { verb: "mailbox_use", account: "anna@example.test" } as const;
  const uses = Array.from({ length: 40 }, () => client.ask(use));
  assert.deepEqual(await client.ask(KICK), { ok: true, detail: "kick_account" });
  counted.resolve();
  assert.equal((await Promise.all(uses)).filter(({ ok }) => ok).length, 8);
  assert.deepEqual(await client.ask(use), { ok: true, detail: "mailbox_use" });
});

describe("the guard's way to the keeper never throws", () => {
  test("if no program listens", async () => {
    const reply = await createKeeperClient(join(directory, "none.sock")).ask(KICK);
    assert.ok(!reply.ok && reply.mayBeDone === undefined);
    assert.match(reply.reason, /^The keeper cannot be reached/);
  });

  for (const [what, serve, says] of [
    ["silence", silent, /^The keeper did not answer within 0.05 s\.$/],
    ["nonsense", saying("hello\n"), /^The keeper sent an invalid reply\.$/],
  ] as const)
    test(`if the answer is ${what}`, async () => {
      const reply = await createKeeperClient(await servedSocket(serve), 50).ask(KICK);
      assert.ok(!reply.ok && reply.mayBeDone === true, "it may have been carried out");
      assert.match(reply.reason, says);
    });

  test("waits a shorter time for a status than for work", async () => {
    const reply = await createKeeperClient(await servedSocket(silent)).ask({ verb: "status" });
    assert.deepEqual(reply, { ok: false, reason: "The keeper did not answer within 1.5 s." });
  });

  test("waits longer until settings are in force, and does not take silence for a refusal", async () => {
    const path = await servedSocket((socket) => {
      setTimeout(() => socket.end('{"ok":true,"detail":""}\n'), 200);
    });
    const client = createKeeperClient(path, 100);
    const digest = "0".repeat(64);
    const slow: readonly KeeperCommand[] = [
      { verb: "apply" },
      { verb: "change_settings", changes: [], digest },
      { verb: "undo_settings", digest },
    ];
    for (const command of slow) assert.deepEqual(await client.ask(command), { ok: true, detail: "" }, command.verb);
    const late = await client.ask(KICK);
    assert.ok(!late.ok && late.mayBeDone === true, late.ok ? "" : late.reason);
  });
});
