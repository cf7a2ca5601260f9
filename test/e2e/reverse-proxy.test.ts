import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { EventItem } from "../../src/wire/control/items.ts";
import { SERVER, whyNoLab } from "../lab/network.ts";
import { ADMIN_PASSWORD } from "../lab/product.ts";
import { DASHBOARD, ReverseProxy } from "../lab/reverse-proxy.ts";
import { until } from "../lab/wait.ts";
import { serverSent, type WebAnswer, WebClient } from "../lab/web-client.ts";
import { withProduct } from "../lab/with-product.ts";

const ANYWHERE = "192.0.2.77";
const LOGIN = "/api/v1/login";

describe("behind a reverse proxy as documented", { skip: whyNoLab() ?? false }, () => {
  const { lab, product } = withProduct({
    GHOSTINBOX_HTTP__TRUSTED_PROXIES: "127.0.0.1,::1",
    // Reached past the proxy too, as a mistake in a firewall would have it.
    GHOSTINBOX_HTTP__ADDRESS: "0.0.0.0",
  });

  const browser = (from: string): Promise<WebClient> => {
    const host = from.startsWith("198.51.100.2") ? lab.attacker : lab.sender;
    return WebClient.overTls(host, { from, to: SERVER.v4, port: 443 }, DASHBOARD);
  };
  const signIn = (
    web: WebClient,
    password: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<WebAnswer> =>
    web.ask("POST", LOGIN, { body: { password }, headers: { origin: `https://${DASHBOARD}`, ...headers } });
  const signIns = async (ip: string): Promise<readonly EventItem[]> =>
    (await product.events(ip)).filter(({ account, type }) => account === "admin" && type.startsWith("LOGIN_"));

  for (const [kind, owner, liar, guesser, other] of [
    ["nginx", "198.51.100.70", "198.51.100.71", "198.51.100.201", "198.51.100.202"],
    ["caddy", "198.51.100.80", "198.51.100.81", "198.51.100.211", "198.51.100.212"],
  ] as const)
    describe(kind, () => {
      let proxy: ReverseProxy;
      before(async () => {
        proxy = await ReverseProxy.start(lab, kind);
      });
      after(() => proxy.stop());

      test("the page is there, and its owner signs in from the address that the events name", async () => {
        const web = await browser(owner);
        assert.match((await web.ask("GET", "/")).text, /<title>/);
        const signedIn = await signIn(web, ADMIN_PASSWORD);
        assert.equal(signedIn.status, 200, signedIn.text);
        const [cookie = ""] = (signedIn.headers["set-cookie"] ?? "").split("\n");
        assert.match(cookie, /; Secure$/, "it knows of the TLS in front of it");
        const session = web.with({ cookie: cookie.split(";")[0] ?? "" });
        assert.deepEqual((await session.ask("GET", "/api/v1/session")).json(), { name: "admin" });
        assert.deepEqual(
          (await signIns(owner)).map(({ type }) => type),
          ["LOGIN_SUCCEEDED"],
        );

        const banned = await session.ask("POST", "/api/v1/bans", { body: { ip: ANYWHERE } });
        assert.equal(banned.status, 201, banned.text);
        assert.equal((await product.banOf(ANYWHERE))?.source, `web:admin via ${owner}`);
        await session.ask("DELETE", `/api/v1/bans/${ANYWHERE}`);
        assert.equal((await session.ask("POST", "/api/v1/bans", { body: { ip: owner } })).status, 409, "at work");
      });

      test("the live stream comes through at once", async () => {
        const token = { authorization: `Bearer ${await product.makeToken(`stream-${kind}`)}` };
        const stream = await (await browser(owner)).stream("/api/v1/events/stream", token);
        assert.equal(stream.status, 200);
        await until("it begins", () => stream.text().startsWith("retry: "));
        for (const ip of ["192.0.2.78", "192.0.2.79"]) {
          await product.json(["ban", ip, "for the stream"]);
          await until(`${ip} is told`, () => serverSent(stream.text()).some(({ data }) => data["ip"] === ip), 3_000);
        }
        stream.close();
        for (const ip of ["192.0.2.78", "192.0.2.79"]) await product.json(["unban", ip]);
      });

      test("a client's own header is not believed", async () => {
        const web = await browser(liar);
        for (const claim of [ANYWHERE, "127.0.0.1", `${ANYWHERE}, 127.0.0.1`])
          assert.equal((await signIn(web, "wrong", { "x-forwarded-for": claim, "x-real-ip": claim })).status, 401);
        assert.equal((await signIns(liar)).length, 3);
        assert.deepEqual(await signIns(ANYWHERE), []);
      });

      test("a guesser is banned by the own address, and the proxy serves others", async () => {
        const web = await browser(guesser);
        for (let i = 1; i <= 5; i++) await signIn(web, `guess ${i}`).catch(() => null);
        const ban = await until("the guesser is banned", () => product.banOf(guesser));
        assert.equal(ban.code, "login_failures");
        await until("the proxy is out of reach", async () => {
          const connected = await lab.attacker.connect({ from: guesser, to: SERVER.v4, port: 443, timeoutMs: 500 });
          if (connected.ok) connected.socket.destroy();
          return !connected.ok;
        });
        assert.equal((await signIn(await browser(other), ADMIN_PASSWORD)).status, 200);
      });
    });

  test("a client that comes past the proxy is believed nothing", async () => {
    const from = "198.51.100.90";
    const web = await WebClient.from(lab.sender, { from, to: SERVER.v4, port: 3000 });
    const forged = {
      host: SERVER.v4,
      origin: `http://${SERVER.v4}`,
      "x-forwarded-for": ANYWHERE,
      "x-forwarded-proto": "https",
    };
    assert.equal((await web.ask("POST", LOGIN, { body: { password: "wrong" }, headers: forged })).status, 401);
    assert.equal((await signIns(from)).length, 1);
    assert.deepEqual(await signIns(ANYWHERE), []);
    const signedIn = await web.ask("POST", LOGIN, { body: { password: ADMIN_PASSWORD }, headers: forged });
    assert.doesNotMatch(signedIn.headers["set-cookie"] ?? "", /Secure/);
  });
});
