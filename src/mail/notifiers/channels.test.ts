import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createServer as createTcpServer, type Socket } from "node:net";
import { test } from "node:test";
import { TLSSocket } from "node:tls";
import { keeperOnSocket } from "../../../test/kit/keeper-on-socket.ts";
import { settingsWith } from "../../../test/kit/loaded-settings.ts";
import { listenOnPort } from "../../../test/kit/local-server.ts";
import { ownCertificate } from "../../../test/kit/own-certificate.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { ALERT_BODY } from "../../admin/declare/keeper.ts";
import { instant } from "../../core/time.ts";
import { testMessage } from "../../guard/alerts/words.ts";
import { alertMailTo, channelsOf, ownQueue } from "./channels.ts";
import { receiverLookup } from "./push.ts";

const world = {
  lookup: receiverLookup({ addresses: () => Promise.resolve({ ok: true, found: [] }) }),
  clock: { now: () => instant(0) },
  ownQueue: () => Promise.resolve({ ok: false, reason: "Postfix is down" } as const),
};
const channels = (alerts: string) => channelsOf(settingsWith(`[alerts]\n${alerts}`), world);

test("without settings the channel is the administrator's mailbox; a channel is local if it uses our queue, wherever the mail goes", () => {
  for (const alerts of ["", 'email = ["me@elsewhere.example"]']) {
    const [usual, ...others] = channels(alerts);
    assert.deepEqual([usual?.name, usual?.isLocal, others], ["email", true, []]);
  }
  assert.ok(channels('ntfy = ["https://ntfy.sh/topic"]').every(({ isLocal }) => isLocal !== true));
});

test("each setting adds one channel, whose name contains no possible secret", () => {
  const names = channels(`
    email = ["a@example.org", "b@example.org"]
    relay = "[smtp.example.net]:587"
    relay_to = ["me@example.net"]
    webhook = ["https://hooks.example/T0P/S3CRET", "https://hooks.example/0THER"]
    ntfy = ["https://ntfy.sh/topic-nobody-knows"]
    gotify = "https://gotify.example"
    gotify_token_file = "/nowhere/token"
    apprise = ["http://apprise:8000/notify/K3Y"]`).map(({ name }) => name);
  assert.equal(new Set(names).size, 7);
  const kinds = names.map((name) => name.replace(/ #[0-9a-f]{6}$/, ""));
  const webhook = "webhook hooks.example";
  const others = ["ntfy ntfy.sh", "gotify gotify.example", "apprise apprise:8000"];
  assert.deepEqual(kinds, ["email", "relay", webhook, webhook, ...others]);
});

test("a secret's file that cannot be read fails with a sentence that names the setting", async () => {
  const [gotify] = channels(`gotify = "http://127.0.0.1:1"\ngotify_token_file = "/nowhere/token"`);
  const outcome = await gotify?.send(testMessage(instant(0), "en"));
  const reason = "The file /nowhere/token of alerts.gotify_token_file cannot be read by the user ghostinbox.";
  assert.deepEqual(outcome, { ok: false, reason });
});

const NO_KEY = { ok: false, reason: "it answered 204: it has no configuration for this key" };
const UNSENT = { ok: false, reason: "it answered 424: One or more notification could not be sent" };
for (const [what, status, text, apprise, webhook] of [
  ["without a configuration for its key is a failure", 204, "", NO_KEY, { ok: true }],
  [
    "that could not reach all its services says that others may have the message",
    424,
    "One or more notification could not be sent",
    { ...UNSENT, isPartial: true },
    UNSENT,
  ],
] as const)
  test(`an Apprise ${what}`, async () => {
    const server = createServer((request, response) => {
      request.resume();
      response.writeHead(status).end(text);
    });
    const address = `http://127.0.0.1:${await listenOnPort(server)}/notify/K3Y`;
    for (const [kind, outcome] of Object.entries({ apprise, webhook }))
      assert.deepEqual(await channels(`${kind} = ["${address}"]`)[0]?.send(testMessage(instant(0), "en")), outcome);
  });

/** A relay with STARTTLS that refuses this recipient. */
async function relayThatRefuses(refused: string) {
  const directory = temporaryDirectory();
  const pair = ownCertificate(directory);
  const answer = (line: string): string => {
    if (line === `RCPT TO:<${refused}>`) return "550 unknown";
    return line.startsWith("EHLO ") ? "250-here\r\n250 STARTTLS" : line === "DATA" ? "354 continue" : "250 ok";
  };
  const speak = (socket: Socket): void => {
    let inData = false;
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk) => {
      for (const line of chunk.toString().split("\r\n").slice(0, -1)) {
        if (line === "STARTTLS") {
          socket.removeAllListeners("data").write("220 go\r\n");
          speak(new TLSSocket(socket, { isServer: true, ...pair }));
        } else if (!inData || line === ".") {
          inData = line === "DATA";
          socket.write(`${answer(line)}\r\n`);
        }
      }
    });
  };
  const port = await listenOnPort(
    createTcpServer((socket) => {
      socket.write("220 here\r\n");
      speak(socket);
    }),
  );
  return { settings: `relay = "127.0.0.1:${port}"\nca = "${directory}/cert.pem"` };
}

test("the relay gets a separate mail for each recipient, so that one that it refuses is a failure", async () => {
  const relay = await relayThatRefuses("b@example.net");
  const message = testMessage(instant(0), "en");
  const [a, b] = channels(`${relay.settings}\nrelay_to = ["a@example.net", "b@example.net"]`);
  assert.deepEqual([a?.name, b?.name], ["relay a@example.net", "relay b@example.net"]);
  assert.deepEqual(await a?.send(message), { ok: true });
  assert.deepEqual(await b?.send(message), { ok: false, reason: "it answered 550 unknown" });
});

test("the administrator gets the alerts until a channel is set", () => {
  assert.deepEqual(alertMailTo(settingsWith("")), ["postmaster@example.org"]);
  assert.deepEqual(alertMailTo(settingsWith('alerts.email = ["a@elsewhere.example"]')), ["a@elsewhere.example"]);
  for (const channel of [
    'alerts.ntfy = ["https://ntfy.example/topic"]',
    'alerts.webhook = ["https://hooks.example/"]',
    'alerts.apprise = ["http://apprise:8000/notify/k"]',
    'alerts.gotify = "https://gotify.example"\nalerts.gotify_token_file = "/token"',
    'alerts.relay = "[smtp.example.net]:587"\nalerts.relay_to = ["me@example.net"]',
  ])
    assert.deepEqual(alertMailTo(settingsWith(channel)), [], channel);
});

test("an alert of any length reaches the keeper in a form that it accepts", async () => {
  const { asked, keeper } = await keeperOnSocket();
  const send = ownQueue(keeper);
  const message = testMessage(instant(Date.UTC(2026, 10, 20)), "en");
  const long = { ...message, title: `half a pair \ud800`, body: "é\n".repeat(ALERT_BODY) };
  for (const one of [message, long]) assert.deepEqual(await send(one), { ok: true });
  assert.equal(asked.length, 2);
  const { id, kind, at, severity, title, body } = message;
  assert.deepEqual(asked[0], { verb: "mail_alert", id, kind, at, severity, title, body });
});

test("the keeper's reason is the reason for the failure", async () => {
  const reason = "the queue is full";
  const { keeper } = await keeperOnSocket({ ok: false, reason });
  assert.deepEqual(await ownQueue(keeper)(testMessage(instant(0), "en")), { ok: false, reason });
});
