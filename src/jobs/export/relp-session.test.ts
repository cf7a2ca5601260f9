import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connect, createServer } from "node:tls";
import { listenOnPort } from "../../../test/kit/local-server.ts";
import { lacking } from "../../../test/kit/needs.ts";
import { ownCertificate } from "../../../test/kit/own-certificate.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { RelpReader, relpFrame } from "./syslog.ts";
import { RelpSession } from "./syslog-receiver.ts";

describe("a session of RELP", { skip: lacking({ installed: ["openssl"] }) }, () => {
  const identity = ownCertificate(temporaryDirectory());

  test("numbers its frames from 1, waits for every answer in whatever order, and says goodbye", async () => {
    const said: string[] = [];
    const port = await listenOnPort(
      createServer(identity, (socket) => {
        const reader = new RelpReader();
        socket.on("error", () => socket.destroy());
        socket.on("data", (chunk: Buffer) => {
          const frames = reader.push(chunk) ?? [];
          said.push(...frames.map(({ number, command, data }) => `${number} ${command} ${data.split("\n")[0]}`));
          for (const { number, command } of frames.toReversed())
            if (command !== "close") socket.write(relpFrame({ number, command: "rsp", data: "200 OK" }));
        });
      }),
    );
    const session = await RelpSession.open(connect({ host: "127.0.0.1", port, ca: identity.cert }), 2_000);
    await session.send(["one", "two"]);
    assert.ok(session.isOpen);
    session.close();
    assert.equal(session.isOpen, false);
    await assert.rejects(session.send(["three"]), /closed/);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(said.slice(0, 3), ["1 open relp_version=0", "2 syslog one", "3 syslog two"]);
  });

  test("is not opened where nothing listens", async () => {
    const listener = createServer(identity);
    const port = await listenOnPort(listener);
    listener.close();
    await assert.rejects(RelpSession.open(connect({ host: "127.0.0.1", port }), 2_000), /ECONNREFUSED/);
  });
});
