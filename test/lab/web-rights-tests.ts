// Invariant: Every verb lists the origins that may use it, the rights of the web's caller, and its bound; the guard finds the caller by its secret (ADR 20).
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import type { Reply } from "../../src/admin/declare/control.ts";
import { CONTROL_LIMITS } from "../../src/surfaces/control-server.ts";
import { COMMANDS } from "../kit/commands.ts";
import { WEB_VERBS } from "../kit/web-verbs.ts";
import { ANNA } from "./mail.ts";
import { ADMIN_PASSWORD, PASSWORD, type Product } from "./product.ts";
import { until } from "./wait.ts";
import { WebClient } from "./web-client.ts";
import type { Running } from "./with-product.ts";

/** A verb for each right, and one that needs only a caller. */
const OF_EACH_RIGHT = ["caller", "protection", "ban", "account_list", "queue_flush", "my_mailbox"] as const;
const AS_WEB = ["setpriv", "--reuid", "ghostinbox-web", "--regid", "ghostinbox-web", "--init-groups"];

/** Sends its input over a unix socket, prints as many lines as it sent, and ends. */
const SPEAK = `
  const socket = require("node:net").connect(process.argv[1]);
  const given = require("node:fs").readFileSync(0, "utf8");
  const lines = (text) => text.split("\\n").length - 1;
  let heard = "";
  socket.on("data", (text) => {
    heard += text;
    if (lines(heard) < lines(given)) return;
    process.stdout.write(heard);
    socket.destroy();
  });
  socket.write(given);
`;

/** The rights of the web, on a server with the account ANNA. Kills guard and web. What it reads: reach-tests.ts. */
export function webRightsTests({ lab, product }: Running): void {
  test("is what its routes offer: every other verb is refused, recorded and reported", async () => {
    await product.json(["ban", "198.51.100.77", "stays"]);
    const before = await secretsOf(product);
    // `watch` comes last, because a watcher gets events between other answers.
    const commands = [...Object.values(COMMANDS).filter(({ verb }) => verb !== "watch"), COMMANDS.watch];
    const given = commands.map((command) => ({ by: "root", command }));
    const replies = (await asWeb(product, given)).map((reply) => JSON.stringify(reply));
    const isRefused = (i: number): boolean => /"ok":false.*is not allowed from here/.test(replies[i] ?? "");
    const allowed = commands.flatMap(({ verb }, i) => (isRefused(i) ? [] : [verb]));
    assert.deepEqual(allowed.toSorted(), WEB_VERBS);
    const refused = await product.sqlite("SELECT details FROM event WHERE type = 'COMMAND_REFUSED'");
    assert.ok(refused.flat().includes("break_glass by web:unnamed"), refused.join("\n"));
    assert.deepEqual(await secretsOf(product), before);
    assert.ok(await product.banOf("198.51.100.77"), "no ban was lifted");
    await until("the owner is alerted", async () =>
      JSON.stringify(await product.json(["alerts", "list"])).includes('"web_overreach"'),
    );
  });

  // Verb by verb: src/guard/commands/web-callers.test.ts.
  test("is what its callers may do, and no more: nothing without a secret, or with one that is made up or stored", async () => {
    const viewer = await asOf(product, "viewer", "--scope", "viewer");
    const stored = createHash("sha256").update(viewer.as).digest("hex");
    assert.ok((await secretsOf(product)).flat().includes(stored));
    const hers = await (await WebClient.local(lab.server)).signedIn({ account: ANNA, password: PASSWORD });
    for (const [caller, why, ...allowed] of [
      [{}, "unauthorized"],
      [{ ...viewer, as: "0".repeat(64) }, "unauthorized"],
      [{ ...viewer, as: stored }, "unauthorized"],
      [viewer, "not_allowed", "caller", "protection"],
      [await asOf(product, "operator"), "not_allowed", "caller", "protection", "ban"],
      [{ ...viewer, as: secretIn(hers) }, "not_allowed", "caller", "my_mailbox"],
    ] as const) {
      const lines = OF_EACH_RIGHT.map((verb) => ({ by: "root", ...caller, command: COMMANDS[verb] }));
      const denials = (await asWeb(product, lines)).map((reply) =>
        "ok" in reply && !reply.ok ? reply.denied : undefined,
      );
      const expected = OF_EACH_RIGHT.map((verb) => (allowed.some((one) => one === verb) ? undefined : why));
      assert.deepEqual(denials, expected, JSON.stringify(caller));
    }
  });

  test("is bounded in what it may do: no wide network, and not as root", async () => {
    const as = await asOf(product, "bounded");
    const allow = (target: string) => ({ by: "root", ...as, command: { ...COMMANDS.allow_add, target } });
    const [wide, narrow] = await asWeb(product, [allow("198.50.0.0/15"), allow("198.51.100.78")]);
    assert.ok(wide !== undefined && "ok" in wide && !wide.ok && /too wide/.test(wide.message));
    assert.ok(narrow !== undefined && "ok" in narrow && narrow.ok);
    assert.match(JSON.stringify(await product.json(["allow", "list"])), /"by":"web:token bounded via 203.0.113.7"/);
  });

  test("is what a session may do, and that survives the guard and the web, killed with -9", async () => {
    const web = await WebClient.local(lab.server);
    const session = await web.signedIn({ password: ADMIN_PASSWORD });
    const before = await product.json(["session", "list"]);
    assert.ok(!(await secretsOf(product)).flat().join().includes(secretIn(session)), "only its digest is kept");
    for (const program of [/\/guard\.js/, /\/web\.js/]) await product.kill(program);
    const isUp = async () => (await web.ask("GET", "/healthz/ready")).status === 200;
    await until("both are back", async () => (await product.guardAnswers()) && (await isUp()));
    const mayOpen = async (path: string) => (await lab.server.exec([...AS_WEB, "test", "-w", path])).code === 0;
    const { webSocket, controlSocket, policySocket } = product.layout;
    for (const path of [webSocket, controlSocket, policySocket])
      assert.equal(await mayOpen(path), path === webSocket, path);
    assert.equal((await session.ask("GET", "/api/v1/session")).status, 200);
    assert.deepEqual(idsOf(await product.json(["session", "list"])), idsOf(before));
    await product.json(["session", "end", "--all"]);
    await until("it has ended", async () => (await session.ask("GET", "/api/v1/session")).status === 401);
  });
}

/** All administrator credentials, as root reads them. */
async function secretsOf(product: Product): Promise<readonly (readonly string[])[]> {
  const read = (sql: string) => product.sqlite(sql, product.layout.accountsDb);
  return [...(await read("SELECT key, value FROM admin")), ...(await read("SELECT name, digest, scopes FROM token"))];
}

/** A new token, as the web shows it to the guard. */
async function asOf(product: Product, name: string, ...options: readonly string[]) {
  const token = await product.makeToken(name, ...options);
  return { as: token, ip: "203.0.113.7" };
}

const secretIn = ({ cookie }: WebClient): string => /ghostinbox=([\w-]+)/.exec(cookie)?.[1] ?? assert.fail("no secret");

const idsOf = (listed: unknown): readonly string[] =>
  Array.from(JSON.stringify(listed).matchAll(/"id":"([0-9a-f]+)"/g), ([, id = ""]) => id).toSorted();

type Said = Reply | Readonly<{ lastEventId: number }>;

/** Sends commands through the web's socket as the web's user. The guard queues a bounded number per connection. */
async function asWeb({ lab, layout }: Product, lines: readonly object[]): Promise<readonly Said[]> {
  const replies: Said[] = [];
  for (let at = 0; at < lines.length; at += CONTROL_LIMITS.maxPending) {
    const some = lines.slice(at, at + CONTROL_LIMITS.maxPending);
    const input = some.map((line) => `${JSON.stringify(line)}\n`).join("");
    const printed = await lab.server.mustExec([...AS_WEB, layout.node, "-e", SPEAK, layout.webSocket], { input });
    for (const line of printed.trim().split("\n")) replies.push(JSON.parse(line) as Said);
  }
  return replies;
}
