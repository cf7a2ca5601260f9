import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createPlainServer } from "node:net";
import { describe, test } from "node:test";
import { connect, createServer, type TLSSocket } from "node:tls";
import { listenOnPort } from "../../../test/kit/local-server.ts";
import { lacking } from "../../../test/kit/needs.ts";
import { ownCertificate } from "../../../test/kit/own-certificate.ts";
import { reasonOf } from "../../../test/kit/reason-of.ts";
import { eventItem } from "../../../test/kit/samples.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { RelpReader, relpFrame } from "./syslog.ts";
import { createRelpReceiver, createTlsReceiver, openRelpSession, type SyslogServer } from "./syslog-receiver.ts";

const EVENTS = [1, 2, 3].map((id) => eventItem("CONNECT", { id }));

/** Failing receivers; export.machine.test.ts tests a real rsyslog. */
describe("receivers", { skip: lacking({ installed: ["openssl"] }) }, () => {
  const identity = ownCertificate(temporaryDirectory());

  async function server(serve: (socket: TLSSocket) => void, changes: Partial<SyslogServer> = {}) {
    const listener = createServer({ ...identity, allowHalfOpen: true }, (socket) => {
      socket.on("error", () => socket.destroy());
      serve(socket);
    });
    const port = await listenOnPort(listener);
    const own = { authorities: identity.cert, identity: undefined, hostname: "mail.example.org", timeoutMs: 300 };
    return { host: "127.0.0.1", port, ...own, ...changes };
  }

  /** Answers each RELP frame, up to this many. */
  const answering =
    (data: string, most = Number.POSITIVE_INFINITY) =>
    (socket: TLSSocket) => {
      const reader = new RelpReader();
      let left = most;
      socket.on("data", (chunk: Buffer) => {
        // The reader is made for short answers, but these longer messages are frames too.
        for (const { number, command } of reader.push(chunk) ?? [])
          if (left-- > 0)
            socket.write(relpFrame({ number, command: "rsp", data: command === "open" ? "200 OK" : data }));
          else socket.destroy();
      });
    };

  test("RELP numbers its frames from 1, waits for every answer in whatever order, and closes the session", async () => {
    const said: string[] = [];
    const { port } = await server((socket) => {
      const reader = new RelpReader();
      socket.on("data", (chunk: Buffer) => {
        const frames = reader.push(chunk) ?? [];
        said.push(...frames.map(({ number, command, data }) => `${number} ${command} ${data.split("\n")[0]}`));
        for (const { number } of frames.toReversed())
          socket.write(relpFrame({ number, command: "rsp", data: "200 OK" }));
      });
    });
    const socket = connect({ host: "127.0.0.1", port, ca: identity.cert });
    const session = await openRelpSession(socket, 2_000);
    await session.send(["one", "two"]);
    assert.ok(session.isOpen());
    session.close();
    assert.equal(session.isOpen(), false);
    await assert.rejects(session.send(["three"]), /closed/);
    // The receiver answers, and keeps its end open.
    await once(socket, "close");
    assert.deepEqual(said, ["1 open relp_version=0", "2 syslog one", "3 syslog two", "4 close "]);
  });

  for (const [what, serve, reason] of [
    ["that refuses a message", answering("500 no room"), /^the receiver refuses: 500 no room$/],
    ["that goes away in the middle", answering("200 OK", 2), /^the receiver closed the connection$/],
    ["that answers nothing", (socket: TLSSocket) => void socket.resume(), /^no answer within 0\.3 s$/],
    [
      "that speaks another protocol",
      (socket: TLSSocket) => void socket.end("220 smtp\r\n".repeat(9)),
      /does not speak RELP$/,
    ],
    ["that ends the session", (socket: TLSSocket) => void socket.write("0 serverclose 0\n"), /ends the session$/],
  ] as const)
    test(`RELP: events fail at a receiver ${what}, and are tried on a new connection`, async () => {
      const receiver = createRelpReceiver(await server(serve));
      for (let i = 0; i < 2; i++) assert.match(reasonOf(await receiver.deliver(EVENTS)), reason);
      receiver.close();
    });

  test("plain TLS: events fail at a receiver that never closes, or breaks off", async () => {
    const never = await createTlsReceiver(await server((socket) => void socket.resume())).deliver(EVENTS);
    assert.match(reasonOf(never), /^the receiver did not close the connection within 0\.3 s/);
    const listener = createPlainServer((socket) => socket.once("data", () => socket.resetAndDestroy()));
    const port = await listenOnPort(listener);
    const broken = await createTlsReceiver({ ...(await server(() => undefined)), port }).deliver(EVENTS);
    assert.match(reasonOf(broken), /ECONNRESET|socket disconnected/);
  });

  test("a receiver with an untrusted certificate gets no event", async () => {
    let bytes = 0;
    const where = await server((socket) => void socket.on("data", (chunk: Buffer) => (bytes += chunk.length)), {
      authorities: undefined,
    });
    for (const receiver of [createRelpReceiver(where), createTlsReceiver(where)])
      assert.match(reasonOf(await receiver.deliver(EVENTS)), /self-signed certificate/);
    assert.equal(bytes, 0);
  });
});
