import assert from "node:assert/strict";
import { test } from "node:test";
import { stopService } from "./content.ts";
import { authenticate, logIn, openImap, openSubmission, sendMail } from "./mail.ts";
import { MAIL_PROXY, PROXIED, repliesTo } from "./mail-proxy.ts";
import { SERVER } from "./network.ts";
import { until } from "./wait.ts";
import type { Running } from "./with-product.ts";

const FORGED = "192.0.2.66";
const [USER, LIAR, GUESSER, LEAVER, DIRECT] = [
  "198.51.100.220",
  "198.51.100.221",
  "198.51.100.222",
  "198.51.100.223",
  "198.51.100.224",
];

/** For a server behind `startMailProxy`, whose `proxy.networks` are MAIL_PROXY and 127.0.0.1, and which has this account. */
export function mailProxyTests({ lab, product }: Running, account: string): void {
  const imap = (from: string) => openImap(lab.attacker, from, MAIL_PROXY);
  const signIn = async (from: string, name: string = account, password?: string): Promise<string> => {
    using dialog = await imap(from);
    return (await logIn(dialog, name, password)) ?? "";
  };
  const replies = async (from: string, to: string, line: string): Promise<string> =>
    (await repliesTo(lab.attacker, { from, to, port: 25 }, line)).join();
  const kinds = async (ip: string) => (await product.events(ip)).map(({ type, details }) => `${type} ${details}`);

  test("mail and sign-ins on each port are those of the client", async () => {
    assert.ok((await sendMail({ host: lab.attacker, from: USER, to: MAIL_PROXY })).code > 0);
    for (const port of [587, 465] as const) {
      using dialog = await openSubmission(lab.attacker, USER, port, MAIL_PROXY);
      assert.equal((await authenticate(dialog, account)).code, 235);
    }
    assert.match(await signIn(USER), /^OK/);
    const seen = (await kinds(USER)).join();
    for (const kind of [/CONNECT smtp/, /CONNECT submission/, /CONNECT submissions/, /SUCCEEDED imap/])
      assert.match(seen, kind);
    assert.deepEqual(await kinds(MAIL_PROXY), []);
  });

  test("a PROXY header sent by the client is ignored, both through the proxy and directly", async () => {
    const forged = `PROXY TCP4 ${FORGED} ${SERVER.v4} 4321 25`;
    for (const to of [MAIL_PROXY, SERVER.v4]) assert.match(await replies(LIAR, to, forged), /^220 .*5\d\d /);
    assert.deepEqual(await kinds(FORGED), []);
    assert.equal((await kinds(LIAR)).filter((kind) => kind.startsWith("CONNECT smtp")).length, 2);
  });

  test("the ports for proxies are closed to all others", async () => {
    await product.json(["allow", "add", LIAR]);
    for (const port of PROXIED) {
      const refused = { ok: false, code: "ECONNREFUSED" };
      assert.deepEqual(await lab.attacker.connect({ from: LIAR, to: SERVER.v4, port }), refused);
      assert.deepEqual(await lab.server.connect({ from: "127.0.0.2", to: "127.0.0.1", port }), refused);
      assert.deepEqual(await lab.sender.connect({ from: "198.51.100.70", to: SERVER.v4, port }), refused);
    }
    for (const [group, check] of [
      ["ports", "proxies"],
      ["firewall", "table"],
    ] as const) {
      const { stdout } = await product.cli(["check", "--only", group, "--json"]);
      assert.ok(stdout.includes(`"id": "${group}.${check}", "group": "${group}", "state": "ok"`), stdout);
    }
  });

  test("of this machine's users only the proxy's reaches the ports for proxies", async () => {
    const connects = async (user: string): Promise<boolean> => {
      const as = ["setpriv", `--reuid=${user}`, "--clear-groups", "bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/325"];
      return (await lab.server.exec(as)).code === 0;
    };
    assert.deepEqual([await connects("nobody"), await connects("haproxy")], [false, true]);
  });

  test("a guesser is banned by their own address and refused by the guard, and the proxy serves others", async () => {
    for (let i = 1; i <= 5; i++) await signIn(GUESSER, "nobody@example.test", `guess ${i}`);
    assert.equal((await until("the guesser is banned", () => product.banOf(GUESSER))).code, "login_failures");
    assert.match(await replies(GUESSER, MAIL_PROXY, "EHLO guesser.test"), /^421 4\.7\.0/);
    assert.doesNotMatch(await signIn(GUESSER), /^OK/);
    assert.match(await signIn(USER), /^OK/);
  });

  test("an open session ends with the ban of its client", async () => {
    const open = await imap(LEAVER);
    assert.match((await logIn(open, account)) ?? "", /^OK/);
    await product.json(["ban", LEAVER]);
    await open.closed();
  });

  test("without the guard, clients of a proxy are refused, and others are accepted", async () => {
    const guard = await stopService(product, "guard");
    assert.match(await replies(USER, MAIL_PROXY, "EHLO user.test"), /^421 4\.3\.2/);
    assert.match(await replies(DIRECT, SERVER.v4, "EHLO user.test"), /,250 /);
    await guard.start();
    await until("the guard accepts them again", async () =>
      /,250 /.test(await replies(USER, MAIL_PROXY, "EHLO user.test")),
    );
  });
}
