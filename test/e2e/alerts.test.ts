import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { stopService } from "../lab/content.ts";
import { HttpReceiver, type Received } from "../lab/http-receiver.ts";
import { Lab } from "../lab/lab.ts";
import { logIn, openImap } from "../lab/mail.ts";
import { whyNoLab } from "../lab/network.ts";
import { Product } from "../lab/product.ts";
import { makeCertificate, TlsServer } from "../lab/tls-server.ts";
import { until } from "../lab/wait.ts";

const ANNA = "anna@example.test";
/** What the lab's DNS calls mx.sender.test. */
const ELSEWHERE = "198.51.100.10";
const KEY = "c2VjcmV0IGtleSBvZiB0aGUgd2ViaG9vaw==";
const CONTACT = "Anna, +49 30 1234567";

describe("alerts", { skip: whyNoLab() ?? false }, () => {
  let lab: Lab;
  let product: Product;
  let relay: TlsServer;
  const receivers = new Map<string, HttpReceiver>();
  const at = (name: string): string => join(lab.directory, name);
  before(async () => {
    lab = await Lab.make();
    const certificate = await makeCertificate(lab.directory, "relay", "mx.sender.test");
    const where = { directory: lab.directory, address: ELSEWHERE, port: 2587, certificate };
    relay = await TlsServer.start(lab.sender, where, { user: "alerts", password: "a secret" });
    for (const [kind, port] of [
      ["webhook", 8001],
      ["ntfy", 8002],
      ["gotify", 8003],
      ["apprise", 8004],
      ["watcher", 8005],
    ] as const)
      receivers.set(kind, await HttpReceiver.start(lab.sender, lab.directory, ELSEWHERE, port));
    for (const [name, text] of [
      ["password", "a secret"],
      ["key", `whsec_${KEY}`],
      ["token", "a-token"],
    ] as const) {
      writeFileSync(at(name), `${text}\n`);
      chmodSync(at(name), 0o644);
    }
    product = await new Product(lab, {
      GHOSTINBOX_ALERTS__CONTACTS: CONTACT.replace(",", ""),
      GHOSTINBOX_ALERTS__EMAIL: ANNA,
      GHOSTINBOX_ALERTS__RELAY: "mx.sender.test:2587",
      GHOSTINBOX_ALERTS__RELAY_TO: "anna@sender.test",
      GHOSTINBOX_ALERTS__RELAY_USER: "alerts",
      GHOSTINBOX_ALERTS__RELAY_PASSWORD_FILE: at("password"),
      GHOSTINBOX_ALERTS__CA: certificate.cert,
      GHOSTINBOX_ALERTS__WEBHOOK: `http://mx.sender.test:8001/hook?secret=1`,
      GHOSTINBOX_ALERTS__WEBHOOK_SECRET_FILE: at("key"),
      GHOSTINBOX_ALERTS__NTFY: `http://${ELSEWHERE}:8002/my-topic`,
      GHOSTINBOX_ALERTS__NTFY_TOKEN_FILE: at("token"),
      GHOSTINBOX_ALERTS__GOTIFY: `http://${ELSEWHERE}:8003/`,
      GHOSTINBOX_ALERTS__GOTIFY_TOKEN_FILE: at("token"),
      GHOSTINBOX_ALERTS__APPRISE: `http://${ELSEWHERE}:8004/notify/my-key`,
      GHOSTINBOX_ALERTS__HEARTBEAT: `http://${ELSEWHERE}:8005/alive`,
      GHOSTINBOX_ALERTS__HEARTBEAT_EVERY: "1s",
      GHOSTINBOX_ALERTS__RESOLVE_AFTER: "2s",
      GHOSTINBOX_ALERTS__DIGEST: "0s",
    }).start();
    await product.addAccount(ANNA);
  });
  after(async () => {
    try {
      await product.stopAndCheck();
    } finally {
      lab.remove();
    }
  });

  const raw = (kind: string): readonly Received[] => receivers.get(kind)?.received() ?? [];
  const mailbox = (): readonly string[] => {
    const folder = join(product.layout.mail, "example.test", "anna", "Maildir", "new");
    return existsSync(folder) ? readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8")) : [];
  };
  /** What each channel was told, in one form. */
  const told = (): Readonly<Record<string, readonly string[]>> => ({
    email: mailbox(),
    relay: relay.mails(),
    webhook: raw("webhook").map(({ body }) => body),
    ntfy: raw("ntfy").map(({ body }) => body),
    gotify: raw("gotify").map(({ body }) => body),
    apprise: raw("apprise").map(({ body }) => body),
  });
  /** On each channel just one message says so, and stays the only one. */
  const onceEverywhere = async (pattern: RegExp, deadlineMs = 20_000): Promise<void> => {
    const counts = (): string =>
      JSON.stringify(
        Object.entries(told()).map(([name, texts]) => [name, texts.filter((text) => pattern.test(text)).length]),
      );
    const wanted = JSON.stringify(Object.keys(told()).map((name) => [name, 1]));
    await until(`${pattern} on every channel, ${wanted}`, () => counts() === wanted, deadlineMs).catch(
      (error: unknown) => {
        throw new Error(counts(), { cause: error });
      },
    );
  };

  test("a test reaches every channel, and each says what became of it", async () => {
    const answer = await product.json(["alerts", "test"]);
    assert.equal(JSON.stringify(answer).match(/"ok":true/g)?.length, 6, JSON.stringify(answer));
    assert.doesNotMatch(JSON.stringify(answer), /secret|my-key|my-topic/);
    await onceEverywhere(/This is a test/);
    for (const [name, texts] of Object.entries(told()))
      for (const part of [/mail\.example\.test/, /Anna \+49 30 1234567/, /What to do: nothing/])
        assert.match(texts.join("\n"), part, name);
  });

  test("a webhook is signed, ntfy and Gotify get their tokens, the relay a password over TLS", () => {
    const [hook] = raw("webhook");
    assert.ok(hook);
    const signed = `${hook.headers["webhook-id"]}.${hook.headers["webhook-timestamp"]}.${hook.body}`;
    const signature = createHmac("sha256", Buffer.from(KEY, "base64")).update(signed).digest("base64");
    assert.equal(hook.headers["webhook-signature"], `v1,${signature}`);
    assert.equal(raw("ntfy")[0]?.headers["authorization"], "Bearer a-token");
    assert.equal(raw("ntfy")[0]?.url, "/");
    assert.equal(raw("gotify")[0]?.headers["x-gotify-key"], "a-token");
    assert.equal(raw("apprise")[0]?.url, "/notify/my-key");
  });

  test("a component that does not run is told once, and its return once; the heartbeat stops meanwhile", async () => {
    await until("the heart beats", () => raw("watcher").length > 0);
    const postgrey = await stopService(product, "postgrey");
    await onceEverywhere(/(?<!Resolved: )A part of the server does not run \(postgrey\)/, 30_000);
    const beats = raw("watcher").length;
    await postgrey.start();
    await onceEverywhere(/Resolved: A part of the server does not run \(postgrey\)/);
    await until("the heart beats again", () => raw("watcher").length > beats);
  });

  test("a password that is guessed at last is told at once, and is over once it is changed", async () => {
    const from = "198.51.100.72";
    for (let i = 0; i < 4; i++) {
      const imap = await openImap(lab.sender, from);
      assert.match((await logIn(imap, ANNA, `wrong ${i}`)) ?? "", /^NO/);
      imap.close();
    }
    const imap = await openImap(lab.sender, from);
    assert.match((await logIn(imap, ANNA)) ?? "", /^OK/);
    await onceEverywhere(/(?<!Resolved: )A sign-in succeeded after many wrong passwords \(/);
    await product.json(["account", "passwd", ANNA, "--password-stdin"], {
      input: "another five unrelated words here\n",
    });
    await onceEverywhere(/Resolved: A sign-in succeeded after many wrong passwords/);
  });
});
