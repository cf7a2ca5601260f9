import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import { describe, test } from "node:test";
import { listenOnPort } from "../../../test/kit/local-server.ts";
import { reasonOf } from "../../../test/kit/reason-of.ts";
import { ip } from "../../../test/kit/samples.ts";
import type { Ip } from "../../core/net/ip.ts";
import { instant } from "../../core/time.ts";
import type { AlertMessage } from "../../guard/alerts/ports.ts";
import type { DnsAnswer } from "../../guard/network-ports.ts";
import { mailText } from "./mail-text.ts";
import { appriseRequest, gotifyRequest, ntfyRequest, receiverLookup, sendHttp, webhookRequest } from "./push.ts";

const sender = { host: "mail.example.org", contacts: ["Änne, +49 30 1"], language: "en" as const };
const about = { severity: "critical", code: "component_down", subject: "postfix" } as const;
const words = { title: "A part of the server is not running (postfix)", body: "What happened: it ended." };
const at = instant(Date.UTC(2026, 0, 2, 3, 4, 5));
const message: AlertMessage = { id: "msg_0123", kind: "opened", at, ...about, ...words };
const bodyOf = (request: { readonly body?: string }): Readonly<Record<string, unknown>> => {
  const body: unknown = JSON.parse(request.body ?? "");
  assert.ok(typeof body === "object" && body !== null);
  return Object.fromEntries(Object.entries(body));
};

test("a webhook is signed according to Standard Webhooks, over exactly its body", () => {
  // The key of its example.
  const key = Buffer.from("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "base64");
  const request = webhookRequest("https://h.example/x", message, { sender, key, nowSeconds: 1_614_265_330 });
  const signature = createHmac("sha256", key).update(`msg_0123.1614265330.${request.body}`).digest("base64");
  const signed = { "webhook-timestamp": "1614265330", "webhook-signature": `v1,${signature}` };
  const headers = { "content-type": "application/json", "webhook-id": "msg_0123", ...signed };
  assert.deepEqual(request.headers, headers);
  assert.deepEqual(bodyOf(request), {
    type: "alert.opened",
    timestamp: "2026-01-02T03:04:05.000Z",
    data: {
      ...about,
      title: message.title,
      text: "What happened: it ended.\n\nServer: mail.example.org\nTime: 2026-01-02T03:04:05.000Z\nSeverity: critical\nContacts: Änne, +49 30 1\n",
      host: sender.host,
      contacts: sender.contacts,
    },
  });
  const unsigned = webhookRequest("https://h.example/x", message, { sender, key: null, nowSeconds: 1 });
  assert.ok(!("webhook-signature" in (unsigned.headers ?? {})));
});

test("ntfy: as JSON to the server's root, also below a path", () => {
  for (const root of ["https://ntfy.sh/", "https://x.example/ntfy/"])
    for (const end of ["", "/"]) {
      const request = ntfyRequest(`${root}my-topic${end}`, message, sender, "tk_1");
      assert.partialDeepStrictEqual(request, { url: root, headers: { authorization: "Bearer tk_1" } });
      const title = `[mail.example.org] CRITICAL: ${message.title}`;
      assert.partialDeepStrictEqual(bodyOf(request), { topic: "my-topic", priority: 5, title });
    }
});

test("ntfy: credentials in the address stay in it", () => {
  const { url } = ntfyRequest("https://user:secret@x.example/ntfy/t?auth=QmFzaWM", message, sender, null);
  assert.equal(url, "https://user:secret@x.example/ntfy/?auth=QmFzaWM");
});

test("ntfy: no message reaches 4,096 bytes, which would make it an attachment, and contacts leave room for its body", () => {
  for (const contacts of [["Anna"], ["Ä".repeat(3_000)], Array.from({ length: 20 }, () => "ä".repeat(200))])
    for (const body of [message.body, "ö".repeat(5_000)]) {
      const request = ntfyRequest("https://ntfy.sh/t", { ...message, body }, { ...sender, contacts }, null);
      const { message: text } = bodyOf(request);
      assert.ok(typeof text === "string" && Buffer.byteLength(text) < 4_000);
      const [shown = ""] = text.split("\n\nServer: mail.example.org\n");
      assert.ok(shown === body || /^ö{900,}…$/.test(shown), shown);
    }
});

test("Gotify and Apprise get the documented fields; an end has a lower priority than its start", () => {
  const over: AlertMessage = { ...message, kind: "resolved" };
  const gotify = gotifyRequest("https://g.example/", message, sender, "A.b");
  assert.deepEqual([gotify.url, gotify.headers?.["x-gotify-key"]], ["https://g.example/message", "A.b"]);
  const priorityOf = (one: AlertMessage): unknown =>
    bodyOf(gotifyRequest("https://g.example", one, sender, "t"))["priority"];
  assert.deepEqual([priorityOf(message), priorityOf(over)], [9, 4]);
  const typeOf = (one: AlertMessage): unknown =>
    bodyOf(appriseRequest("http://a.example/notify/k", one, sender))["type"];
  assert.deepEqual([typeOf(message), typeOf(over)], ["failure", "success"]);
});

test("a mail: text outside ASCII is encoded, and its id is that of the message", () => {
  const text = mailText(message, { from: "postmaster@example.org", to: ["a@example.org", "b@example.org"], sender });
  const [head = "", body = ""] = text.split("\r\n\r\n");
  assert.match(head, /^Message-ID: <msg_0123@mail\.example\.org>\r$/m);
  assert.match(head, /^To: a@example\.org,\r\n b@example\.org\r$/m);
  assert.match(head, /^Date: Fri, 02 Jan 2026 03:04:05 \+0000\r$/m);
  assert.match(head, /^Auto-Submitted: auto-generated\r$/m);
  assert.match(Buffer.from(body, "base64").toString(), /Contacts: Änne/);
  for (const line of text.split("\r\n")) assert.match(line, /^[\x20-\x7e]{0,998}$/);
});

test("a subject of any text is encoded words of at most 75 characters, which decode to it", () => {
  const title = "Schlüssel 🔑 ".repeat(20);
  const text = mailText({ ...message, title }, { from: "p@example.org", to: ["a@example.org"], sender });
  const folded = /^Subject: ((?:.*\r\n )*.*)\r$/m.exec(text)?.[1] ?? "";
  const words = folded.split("\r\n ");
  for (const word of words) assert.ok(word.length <= 75, word);
  const decoded = words.map((word) => Buffer.from(word.slice("=?UTF-8?B?".length, -2), "base64").toString());
  assert.equal(decoded.join(""), `[mail.example.org] CRITICAL: ${title}`);
});

const asked: string[] = [];
const NAMES: Readonly<Record<string, DnsAnswer<Ip>>> = {
  "known.test": { ok: true, found: [ip("127.0.0.1")] },
  "both.test": { ok: true, found: [ip("127.0.0.1"), ip("::1")] },
  "half.test": { ok: false, reason: "ESERVFAIL", partial: [ip("127.0.0.1")] },
  "broken.test": { ok: false, reason: "ETIMEOUT" },
};
const lookup = receiverLookup({
  addresses: (name) => {
    asked.push(name);
    return Promise.resolve(NAMES[name] ?? { ok: true, found: [] });
  },
});
const world = { lookup, authorities: undefined };

describe("requests over HTTP", () => {
  const serve = (status: number, headers: Readonly<Record<string, string>>, body: string): Promise<number> =>
    listenOnPort(
      createServer((request, response) => {
        request.resume();
        response.writeHead(status, headers).end(body);
      }),
    );
  const send = (url: string) => sendHttp({ method: "POST", url, body: "{}" }, world);

  test("200 to 299 counts as accepted; names are looked up with our resolver", async () => {
    const port = await serve(204, {}, "");
    assert.deepEqual(await send(`http://known.test:${port}/x`), { ok: true });
    assert.deepEqual(asked, ["known.test"]);
  });

  test("a receiver is reached over IPv4 if its DNS does not answer for IPv6", async () => {
    assert.deepEqual(await send(`http://half.test:${await serve(200, {}, "")}/`), { ok: true });
  });

  test("a receiver is reached over IPv6 if IPv4 does not work", async () => {
    const server = createServer((_request, response) => void response.end());
    const port = await listenOnPort(server, "::1");
    assert.deepEqual(await send(`http://both.test:${port}/`), { ok: true });
  });

  test("a name that our resolver does not know or cannot look up is looked up with the machine's", async () => {
    const port = await serve(200, {}, "");
    assert.deepEqual(await send(`http://localhost:${port}/`), { ok: true });
    assert.match(reasonOf(await send(`http://broken.test:${port}/`)), /broken\.test/);
  });

  test("a refusal is reported with the receiver's words, printable and shortened", async () => {
    const port = await serve(403, {}, `no\u001b[2J ${"x".repeat(100_000)}`);
    const reason = reasonOf(await send(`http://127.0.0.1:${port}/`));
    assert.match(reason, /^it answered 403: no\\x1b\[2J x+…$/);
    assert.ok(reason.length < 300);
  });

  test("an answer that repeats a part of the address, which may be secret, is not quoted", async () => {
    for (const [answer, quoted] of [
      ["Cannot POST /notify/K3Y", ""],
      ['{"path":"\\/notify\\/K3Y"}', ""],
      ["no webhook S3CRET-T0KEN is registered", ""],
      ["Please notify us with a valid key", ": Please notify us with a valid key"],
    ] as const) {
      const port = await serve(503, {}, answer);
      const reason = reasonOf(await send(`http://127.0.0.1:${port}/notify/K3Y?key=S3CRET-T0KEN`));
      assert.equal(reason, `it answered 503${quoted}`);
    }
  });

  test("a redirect is not followed", async () => {
    const port = await serve(302, { location: "http://169.254.169.254/" }, "");
    const reason = reasonOf(await send(`http://127.0.0.1:${port}/`));
    assert.match(reason, /302, a redirect, which is not followed/);
  });

  test("a missing receiver is a reason, not an exception", async () => {
    assert.match(reasonOf(await send("http://127.0.0.1:1/")), /ECONNREFUSED/);
  });
});
