import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { test } from "node:test";
import * as fc from "fast-check";
import { ANY_CHARACTER } from "../../../test/kit/any-character.ts";
import { listenOnPort } from "../../../test/kit/local-server.ts";
import { ip } from "../../../test/kit/samples.ts";
import {
  clientUser,
  parseConnections,
  parseListening,
  parseSilences,
  parseSocketsInUse,
  runsAs,
} from "./tcp-sockets.ts";

const HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
const line = (local: string, remote: string, state: string, user = 0): string =>
  `   7: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000 ${String(user).padStart(5)}        0 651 1 0000 100 0 0 10 0\n`;
const LOOPBACK = ip("127.0.0.1");
const PORTS: ReadonlySet<number> = new Set([25, 993]);

test("reads established connections to our ports, and no others", () => {
  const text =
    HEAD +
    line("0A7100CB:0019", "076433C6:9C40", "01") +
    line("0A7100CB:0019", "086433C6:9C41", "03") +
    line("0A7100CB:03E1", "096433C6:9C42", "08") +
    line("0A7100CB:0050", "096433C6:9C42", "01") +
    line("00000000:0019", "00000000:0000", "0A");
  assert.deepEqual(parseConnections(text, PORTS, "LE"), [
    { ip: "198.51.100.7", clientPort: 40_000, port: 25 },
    { ip: "198.51.100.9", clientPort: 40_002, port: 993 },
  ]);
});

test("reads IPv6, IPv4 over an IPv6 socket, and the other byte order", () => {
  const local = "00000000000000000000000000000000:0019";
  const six = line(local, "B80D012001000000000000000A000000:9C40", "01");
  assert.deepEqual(parseConnections(six, PORTS, "LE"), [{ ip: "2001:db8:0:1::a", clientPort: 40_000, port: 25 }]);
  const mapped = line(local, "0000000000000000FFFF0000076433C6:9C40", "01");
  assert.deepEqual(parseConnections(mapped, PORTS, "LE"), [{ ip: "198.51.100.7", clientPort: 40_000, port: 25 }]);
  const big = line("CB00710A:0019", "C6336407:9C40", "01");
  assert.deepEqual(parseConnections(big, PORTS, "BE"), [{ ip: "198.51.100.7", clientPort: 40_000, port: 25 }]);
});

test("reads listening sockets with their users and inodes", () => {
  const text =
    HEAD +
    line("00000000:0019", "00000000:0000", "0A", 990) +
    line("0A7100CB:0019", "076433C6:9C40", "01") +
    line("000080FE000000000000000001000000:03E1", "00000000000000000000000000000000:0000", "0A");
  assert.deepEqual(parseListening(text, "LE"), [
    { ip: "0.0.0.0", port: 25, uid: 990, inode: "651" },
    { ip: "fe80::1", port: 993, uid: 0, inode: "651" },
  ]);
});

test("finds the user of a connection on loopback by both of its ends", () => {
  const [client, server] = ["0100007F:9C40", "0100007F:272A"];
  const connection = { ip: LOOPBACK, clientPort: 40_000, serverIp: LOOPBACK, port: 10_026 };
  // The server's own end has the user of the server.
  const text = HEAD + line(server, client, "01", 105) + line(client, server, "01", 990);
  assert.equal(clientUser(text, connection, "LE"), 990);
  const other = ip("127.0.0.2");
  for (const changes of [{ ip: other }, { clientPort: 40_001 }, { serverIp: other }, { port: 25 }])
    assert.equal(clientUser(text, { ...connection, ...changes }, "LE"), null);
  // Closed by its client (FIN_WAIT2, TIME_WAIT), or not there at all.
  for (const state of ["05", "06"])
    assert.equal(clientUser(HEAD + line(client, server, state), connection, "LE"), null);
  assert.equal(clientUser(HEAD, connection, "LE"), null);
  assert.equal(clientUser(HEAD + line("7F000001:9C40", "7F000001:272A", "01", 990), connection, "BE"), 990);
});

test("never throws, and truncated lines are skipped", () => {
  const found = (text: string) => [...parseConnections(text, PORTS, "LE"), ...parseListening(text, "LE")].length;
  for (const whole of [line("0A7100CB:0019", "076433C6:9C40", "01"), line("00000000:0019", "00000000:0000", "0A")])
    for (let cut = 0; cut < whole.length; cut++) assert.ok(found(whole.slice(0, cut)) <= 1);
  fc.assert(fc.property(fc.string({ unit: ANY_CHARACTER }), (text) => found(text) === 0));
});

const user = process.getuid?.() ?? assert.fail("the test needs users");

test("recognises a connection of the user, and no one else's", async (t) => {
  const port = await listenOnPort(createServer());
  const client = connect({ port, host: "127.0.0.1" });
  t.after(() => client.destroy());
  await once(client, "connect");
  const clientPort = client.localPort ?? assert.fail();
  assert.equal(await runsAs(user, port)({ ip: LOOPBACK, clientPort }), true);
  assert.equal(await runsAs(user + 1, port)({ ip: LOOPBACK, clientPort }), false);
  assert.equal(await runsAs(user, port)({ ip: LOOPBACK, clientPort: clientPort === 1 ? 2 : 1 }), false);
  const other = ip("127.0.0.2");
  assert.equal(await runsAs(user, port)({ ip: other, clientPort }), false);
  client.destroy();
  await once(client, "close");
  assert.equal(await runsAs(user, port)({ ip: LOOPBACK, clientPort }), false);
});

/** Output of ss from iproute2 6.1, without parts that are not read. */
const MUTE =
  "0      0      203.0.113.10:25 198.51.100.7:41234 cubic wscale:7,7 rto:204 bytes_sent:31 bytes_acked:31 lastsnd:5012 lastrcv:5020 lastack:5012 minrtt:0.03 ";
const TALKING =
  "0      0      [::ffff:203.0.113.10]:587 [::ffff:198.51.100.8]:41235 cubic bytes_sent:90 bytes_received:24 lastsnd:40 lastrcv:45 lastack:40 ";
const WAITING =
  "4      0      [2001:db8::10]:25 [2001:db8::7]:41236 cubic bytes_sent:90 bytes_received:24 lastsnd:9000 lastrcv:8000 lastack:8000 ";

const QUEUED =
  "0      0      203.0.113.10:25 198.51.100.9:41237 cubic wscale:7,7 rto:1000 lastsnd:8000 lastrcv:8000 lastack:8000 ";

test("a client has been silent since it last sent or was greeted, unless it waits for us", () => {
  const justGreeted = MUTE.replace(":41234", ":41238").replace("lastsnd:5012", "lastsnd:40");
  const beforeTls = QUEUED.replace(":25 ", ":465 ");
  const takesNoGreeting = QUEUED.replace("0      0 ", "0      31 ").replace(":41237", ":41239");
  const takesNothing = WAITING.replace("4      0 ", "0      31 ").replace(":41236", ":41240");
  const lines = [MUTE, TALKING, WAITING, QUEUED, justGreeted, beforeTls, takesNoGreeting, takesNothing, ""];
  const silences = [...parseSilences(lines.join("\n"), (port) => port !== 465)];
  assert.deepEqual(silences, [
    ["198.51.100.7 41234 25", 5_012],
    ["198.51.100.8 41235 587", 45],
    ["2001:db8::7 41236 25", 0],
    ["198.51.100.9 41237 25", 0],
    ["198.51.100.7 41238 25", 40],
    ["198.51.100.9 41237 465", 8_000],
    ["198.51.100.9 41239 25", 8_000],
    ["2001:db8::7 41240 25", 8_000],
  ]);
});

test("lines that are not from ss are ignored", () => {
  assert.deepEqual([...parseSilences("Error: an inet prefix is expected\n0 0 *:25 *:*\n", () => true)], []);
  fc.assert(fc.property(fc.string(), (text) => void parseSilences(text, () => true)));
});

test("the number of sockets in use is read from both of the kernel's files", () => {
  const four = "sockets: used 119\nTCP: inuse 12 orphan 0 tw 3 alloc 68 mem 56\nUDP: inuse 4 mem 0\n";
  const six = "TCP6: inuse 7\nUDP6: inuse 2\n";
  assert.equal(parseSocketsInUse(four, six), 19);
  assert.equal(parseSocketsInUse(four, ""), 12, "without IPv6");
  assert.equal(parseSocketsInUse("UDP: inuse 4 mem 0\n", six), null);
  assert.equal(parseSocketsInUse("", ""), null);
});
