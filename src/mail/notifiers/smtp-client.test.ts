import assert from "node:assert/strict";
import { createServer } from "node:net";
import { describe, test } from "node:test";
import { listenOnPort } from "../../../test/kit/local-server.ts";
import { reasonOf } from "../../../test/kit/reason-of.ts";
import { ip } from "../../../test/kit/samples.ts";
import { receiverLookup } from "./push.ts";
import { type SmtpServer, sendMail } from "./smtp-client.ts";

const lookup = receiverLookup({ addresses: () => Promise.resolve({ ok: true, found: [] }) });

describe("mail to a server", () => {
  /** Gives the configured reply to each line of the client, and stores the lines. The relay with TLS is in test/e2e. */
  async function serve(replies: Readonly<Record<string, string>>, last?: string) {
    const said: string[] = [];
    const listener = createServer((socket) => {
      let inData = false;
      socket.on("error", () => socket.destroy());
      socket.write(replies["greeting"] ?? "220 here\r\n");
      socket.on("data", (chunk) => {
        for (const line of chunk.toString().split("\r\n").slice(0, -1)) {
          said.push(line);
          if (inData && line !== ".") continue;
          const verb = inData ? "." : (line.split(/[ :]/)[0] ?? "");
          inData = verb === "DATA";
          socket.write(replies[line] ?? replies[verb] ?? (verb === "DATA" ? "354 continue\r\n" : "250 ok\r\n"));
          if (verb === last) socket.end();
        }
      });
    });
    const where = { host: "127.0.0.1", port: await listenOnPort(listener), security: "plain", login: null } as const;
    const server: SmtpServer = { ...where, authorities: undefined, helo: "mail.example.org", lookup };
    return { server, said };
  }
  /** A relay with this answer to every password. */
  const refusing = (answer: string) => serve({ EHLO: "250-here\r\n250 AUTH LOGIN PLAIN\r\n", AUTH: answer });
  const login = { user: "u", password: "secret" };
  const AUTH = `AUTH PLAIN ${Buffer.from("\0u\0secret").toString("base64")}`;
  const text = "Subject: x\r\n\r\n.dot\r\nend\r\n";
  const mail = { from: "p@example.org", to: ["a@example.org", "b@example.org"], text };

  test("a mail takes one session, and a dot at the start of a line is doubled", async () => {
    const { server, said } = await serve({ EHLO: "250-here\r\n250 8BITMIME\r\n" });
    assert.deepEqual(await sendMail(server, mail), { ok: true });
    const expected = ["MAIL FROM:<p@example.org>", "RCPT TO:<a@example.org>", "RCPT TO:<b@example.org>", "DATA"];
    assert.deepEqual(said.slice(0, 10), ["EHLO mail.example.org", ...expected, "Subject: x", "", "..dot", "end", "."]);
  });

  test("a refused recipient stops no other; the mail fails only if all are refused", async () => {
    const one = await serve({ "RCPT TO:<a@example.org>": "550 unknown\r\n" });
    assert.deepEqual(await sendMail(one.server, mail), { ok: true });
    const all = await serve({ RCPT: "550 5.1.1 unknown\r\n" });
    assert.deepEqual(await sendMail(all.server, mail), { ok: false, reason: "it answered 550 5.1.1 unknown" });
  });

  test("a relay with several addresses that all refuse is a reason", async () => {
    const found = [ip("127.0.0.1"), ip("::1")];
    const both = receiverLookup({ addresses: () => Promise.resolve({ ok: true, found }) });
    const { server } = await serve({});
    const outcome = await sendMail({ ...server, host: "relay.test", port: 1, lookup: both }, mail);
    assert.deepEqual(outcome, { ok: false, reason: "ECONNREFUSED" });
  });

  test("without STARTTLS a relay gets nothing, especially no password", async () => {
    const { server, said } = await serve({ STARTTLS: "502 5.5.1 no such command\r\n" });
    const outcome = await sendMail({ ...server, security: "starttls", login }, mail);
    assert.deepEqual(outcome, { ok: false, reason: "the relay offers no STARTTLS" });
    assert.deepEqual(said, ["EHLO mail.example.org", "STARTTLS"]);
  });

  test("a relay that accepts STARTTLS and hangs up gets nothing", async () => {
    const { server, said } = await serve({ STARTTLS: "220 continue\r\n" }, "STARTTLS");
    assert.equal((await sendMail({ ...server, security: "starttls" }, mail)).ok, false);
    assert.deepEqual(said.slice(0, 2), ["EHLO mail.example.org", "STARTTLS"]);
    assert.ok(!said.some((line) => line.startsWith("MAIL")));
  });

  test("a password that is refused is a failure in the relay's words, without the password", async () => {
    const { server, said } = await refusing("535 5.7.8 wrong\r\n");
    const outcome = await sendMail({ ...server, login }, mail);
    assert.deepEqual(outcome, { ok: false, reason: "it answered 535 5.7.8 wrong" });
    assert.deepEqual(said, ["EHLO mail.example.org", AUTH]);
  });

  test("a relay that repeats the password is not quoted", async () => {
    const { server } = await refusing(`535 wrong: ${AUTH}\r\n`);
    assert.deepEqual(await sendMail({ ...server, login }, mail), { ok: false, reason: "it answered 535" });
  });

  test("a server that talks without end, hangs up or is not there is a failure with its reason", async () => {
    const endless = await serve({ greeting: `220-${"x".repeat(20_000)}` });
    const reason = "Server response exceeds maximum allowed size";
    assert.deepEqual(await sendMail(endless.server, mail), { ok: false, reason });
    const busy = await serve({ greeting: "421 busy\u001b[2J\r\n" });
    assert.deepEqual(await sendMail(busy.server, mail), { ok: false, reason: "it answered 421 busy\\x1b[2J" });
    assert.match(reasonOf(await sendMail({ ...busy.server, port: 1 }, mail)), /ECONNREFUSED/);
  });
});
