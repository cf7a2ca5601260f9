import assert from "node:assert/strict";
import { before, test } from "node:test";
import { patience } from "../kit/patience.ts";
import { stopService } from "./content.ts";
import { sendMail } from "./mail.ts";
import { SERVER } from "./network.ts";
import { until } from "./wait.ts";
import { namedEvents, serverSent, WebClient } from "./web-client.ts";
import { describedBy } from "./web-description.ts";
import type { Running } from "./with-product.ts";

const GUEST = "198.51.100.81";
const BRIEFLY = "198.51.100.204";

export function apiTests({ lab, product }: Running): void {
  let stranger: WebClient;
  let web: WebClient;
  before(async () => {
    stranger = await WebClient.local(lab.server);
    web = stranger.bearing(await product.makeToken("api"));
  });

  async function must(method: string, path: string, body?: unknown): Promise<unknown> {
    const answer = await web.ask(method, path, { body });
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.json();
  }

  test("bans by /api/security, and what lifts them, reach the kernel", async () => {
    const ip = "198.51.100.202";
    const reaches = () => lab.attacker.reaches({ from: ip, to: SERVER.v4, port: 25, timeoutMs: 500 });
    const isListed = async () => (await product.firewallBans()).includes(`${ip} timeout`);
    assert.ok(await reaches(), "before");
    for (const [path, body] of [
      ["/api/security", { action: "unban", ip }],
      ["/api/v1/allow", { network: ip }],
    ] as const) {
      await must("POST", "/api/security", { action: "ban", ip, reason: "it scanned us" });
      await until("the ban bites", async () => !(await reaches()));
      assert.ok(await isListed());
      await must("POST", path, body);
      await until("it is lifted", reaches);
      assert.ok(!(await isListed()));
    }
  });

  test("cleanup ends a ban whose time is over, and no other", async () => {
    await must("POST", "/api/v1/bans", { ip: "198.51.100.203", for: "permanent" });
    const ends = async () => (await product.events(BRIEFLY)).filter(({ type }) => type === "BAN_EXPIRED").length;
    // The server does the same each second, and is sometimes first.
    await until("cleanup is first", async () => {
      const before = await ends();
      await must("POST", "/api/v1/bans", { ip: BRIEFLY, for: "1s" });
      return until("the ban is over", async () => {
        const cleaned = JSON.stringify(await must("GET", "/api/security?action=cleanup"));
        assert.match(cleaned, /^\{"success":true,"action":"cleanup","expired":[01]\}$/);
        if (cleaned.includes('"expired":1')) return "by cleanup";
        return (await ends()) > before ? "by itself" : null;
      }).then((how) => how === "by cleanup");
    });
    assert.equal(await product.banOf(BRIEFLY), undefined);
    assert.equal((await product.events(BRIEFLY)).at(-1)?.type, "BAN_EXPIRED");
    assert.ok((await product.banOf("198.51.100.203")) !== undefined, "a permanent one stays");
  });

  test("the stream reports events as they happen, and resumes where a reader was cut off", async () => {
    const first = await web.stream("/api/v1/events/stream");
    assert.equal(first.status, 200);
    assert.equal(first.headers["content-type"], "text/event-stream");
    await sendMail({ host: lab.sender, from: GUEST, subject: "While it listens" });
    const heard = await until("its events arrive", () => {
      const events = serverSent(first.text());
      return events.some(({ data }) => data["type"] === "EMAIL_ACCEPTED") ? events : null;
    });
    first.close();
    const last = heard.at(-1)?.id ?? 0;
    const missed = () => product.sqlite(`SELECT id, type FROM event WHERE id > ${last} ORDER BY id`);
    const ids = heard.map(({ id }) => id);
    const inOrder = [...new Set(ids)].toSorted((a, b) => a - b);
    assert.deepEqual(ids, inOrder);
    assert.ok(heard.every(({ id, data }) => data["id"] === id));
    assert.match(first.text(), /^retry: \d+\n\n/);

    await sendMail({ host: lab.sender, from: GUEST, subject: "While no client listens" });
    await until("it is delivered", async () => (await missed()).some(([, type]) => type === "EMAIL_DELIVERED"));
    const second = await web.stream("/api/v1/events/stream", { "last-event-id": String(last) });
    const missing = await missed();
    const resumed = await until("what was missed arrives", () => {
      const events = serverSent(second.text());
      return events.length >= missing.length ? events : null;
    });
    second.close();
    const read = resumed.slice(0, missing.length).map(({ id, data }) => [String(id), data["type"]]);
    assert.deepEqual(read, missing);
  });

  test("the stream ends within seconds of the token by which it was opened", async () => {
    const token = await product.makeToken("leaving");
    const stream = await stranger.bearing(token).stream("/api/v1/events/stream");
    assert.equal(stream.status, 200);
    let hasEnded = false;
    void stream.ended.then(() => (hasEnded = true));
    await product.json(["token", "revoke", "leaving"]);
    await until("the stream ends", () => hasEnded, 25_000);
  });

  test("the metrics count the mails, and contain no addresses", async () => {
    const { text } = await web.ask("GET", "/metrics");
    const mails = await product.countEvents("type = 'EMAIL_ACCEPTED'");
    assert.ok(text.includes(`\nghostinbox_events_total{type="EMAIL_ACCEPTED"} ${mails}\n`), text);
    assert.doesNotMatch(text, /\d+\.\d+\.\d+\.\d+|@/);
  });

  test("without the guard reading works, commands and health report it, each as described", async () => {
    const described = describedBy(await must("GET", "/openapi.json"));
    const page = await web.stream("/api/v1/stream");
    const messagesOf = (name: string) => namedEvents(page.text()).filter((message) => message.name === name);
    await until("the page knows the health", () => messagesOf("health").length > 0);
    const [hello] = messagesOf("hello");
    const before = Number(hello?.id);
    await product.kill(/\/guard\.js/);
    const guard = await stopService(product, "guard");
    const gone = performance.now();
    try {
      await until("the page shows that it is gone", () => messagesOf("health").at(-1)?.data["status"] === "down");
      assert.ok(performance.now() - gone < patience(2_500), `${performance.now() - gone} ms`);
      await until("health reports it", async () => (await stranger.ask("GET", "/healthz")).status === 503);
      for (const [route, status] of [
        ["GET /healthz", 503],
        ["GET /healthz/ready", 503],
        ["GET /healthz/live", 200],
        ["GET /api/v1/bans", 200],
        ["GET /api/v1/status", 200],
        ["GET /api/v1/allow", 503],
        ["POST /api/v1/bans", 503],
        ["GET /metrics", 200],
      ] as const) {
        const [method = "", path = ""] = route.split(" ");
        const body = method === "POST" ? { ip: "198.51.100.205" } : undefined;
        const answer = await web.ask(method, path, { body });
        assert.equal(answer.status, status, route);
        assert.deepEqual(described.faults(route, answer), [], `${route} ${answer.text}`);
      }
      const refused = await web.ask("POST", "/api/v1/bans", { body: { ip: "198.51.100.205" } });
      assert.match(refused.text, /"code":"guard_down"/);
      assert.equal(refused.headers["retry-after"], "5");
    } finally {
      await guard.start();
    }
    await until("all is well again", async () => (await stranger.ask("GET", "/healthz/ready")).status === 200);

    // The same stream continues, with every event of the new guard.
    await sendMail({ host: lab.sender, from: GUEST, subject: "After the guard" });
    const ids = () =>
      messagesOf("events").flatMap(({ data }) =>
        (Array.isArray(data["items"]) ? data["items"] : []).map(({ id }) => String(id)),
      );
    const accepted = async () =>
      product.sqlite(`SELECT id FROM event WHERE id > ${before} AND type = 'EMAIL_DELIVERED'`);
    await until("the page has the whole mail", async () => {
      const [[last = "none"] = []] = await accepted();
      return ids().includes(last);
    });
    const newest = Number(ids().at(-1));
    const written = await product.sqlite(`SELECT id FROM event WHERE id > ${before} AND id <= ${newest} ORDER BY id`);
    assert.deepEqual(ids(), written.flat());
    assert.ok(messagesOf("events").every(({ data }) => data["more"] === false));
    assert.ok(messagesOf("figures").length > 0 && messagesOf("beat").length > 0);
    assert.equal(messagesOf("hello").length, 1, "the same database");
    page.close();
  });
}
