import assert from "node:assert/strict";
import { dirname } from "node:path";
import { describe, test } from "node:test";
import type { Reply } from "../../src/wire/control/control.ts";
import { COMMANDS } from "../kit/commands.ts";
import { WEB_VERBS } from "../kit/web-verbs.ts";
import type { Lab } from "../lab/lab.ts";
import { whyNoLab } from "../lab/network.ts";
import type { Product } from "../lab/product.ts";
import { until } from "../lab/wait.ts";
import { withProduct } from "../lab/with-product.ts";

const AS_WEB = ["setpriv", "--reuid", "ghostinbox-web", "--regid", "ghostinbox-web", "--init-groups"];

/** Sends what it is given over a unix socket, prints as many lines as it was given, and ends. */
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

describe("what the web may do and read", { skip: whyNoLab() ?? false }, () => {
  const { lab, product } = withProduct();

  test("is what its routes offer: every other verb is refused, recorded and told", async () => {
    await product.json(["ban", "198.51.100.77", "stays"]);
    const before = await product.sqlite("SELECT * FROM admin");
    const allowed: string[] = [];
    for (const command of Object.values(COMMANDS)) {
      const [reply] = await asWeb(lab, product, [{ by: "root", command }]);
      if (reply === undefined || !("ok" in reply) || reply.ok || !/may not be given from here/.test(reply.message))
        allowed.push(command.verb);
    }
    assert.deepEqual(allowed.toSorted(), WEB_VERBS);
    const refused = await product.sqlite("SELECT details FROM event WHERE type = 'COMMAND_REFUSED'");
    assert.ok(refused.flat().includes("break_glass by web:unnamed"), refused.join("\n"));
    assert.deepEqual(await product.sqlite("SELECT * FROM admin"), before);
    assert.ok(await product.banOf("198.51.100.77"), "no ban was lifted");
    await until("the owner is told", async () =>
      JSON.stringify(await product.json(["alerts", "list"])).includes('"web_overreach"'),
    );
  });

  test("is bounded where it may do something: no wide network, and not as root", async () => {
    const allow = (target: string) => ({
      by: "root",
      command: { verb: "allow_add", target, note: "", for: null },
    });
    const [wide, narrow] = await asWeb(lab, product, [allow("198.50.0.0/15"), allow("198.51.100.78")]);
    assert.ok(wide !== undefined && "ok" in wide && !wide.ok && /too wide/.test(wide.message));
    assert.ok(narrow !== undefined && "ok" in narrow && narrow.ok);
    assert.match(JSON.stringify(await product.json(["allow", "list"])), /"by":"web:unnamed"/);
  });

  test("is what it shows, and neither secrets nor logs nor the guard's other socket", async () => {
    await expectLeastRights(lab, product);
  });

  test("is no more after an upgrade from a version whose web was in the guard's group", async () => {
    await product.stop();
    const { settings, engineDb, webSocket } = product.layout;
    const machine = lab.server;
    await machine.mustExec(["chgrp", "-R", "ghostinbox", settings, dirname(engineDb), dirname(webSocket)]);
    await machine.mustExec(["gpasswd", "--add", "ghostinbox-web", "ghostinbox"]);
    await product.start();
    await expectLeastRights(lab, product);
  });
});

type Said = Reply | Readonly<{ lastEventId: number }>;

/** Gives commands through the web's own socket, as the web's own user. */
async function asWeb({ server }: Lab, { layout }: Product, lines: readonly object[]): Promise<readonly Said[]> {
  const input = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  const printed = await server.mustExec([...AS_WEB, layout.node, "-e", SPEAK, layout.webSocket], { input });
  const said: Said[] = [];
  for (const line of printed.trim().split("\n")) said.push(JSON.parse(line) as Said);
  return said;
}

async function expectLeastRights({ server }: Lab, { layout }: Product): Promise<void> {
  const may = async (flag: "-r" | "-w", path: string): Promise<boolean> =>
    (await server.exec([...AS_WEB, "test", flag, path])).code === 0;
  for (const path of [layout.webSettings, layout.engineDb, `${layout.engineDb}-wal`]) {
    assert.ok(await may("-r", path), `reads ${path}`);
    assert.ok(!(await may("-w", path)), `does not write ${path}`);
  }
  assert.ok(await may("-w", layout.webSocket), "speaks to the guard");
  for (const path of [layout.settings, layout.loginPolicySecret, layout.mailLog, layout.accountsDb, layout.tlsKey])
    assert.ok(!(await may("-r", path)), `does not read ${path}`);
  for (const path of [layout.controlSocket, layout.keeperSocket, layout.policySocket])
    assert.ok(!(await may("-w", path)), `does not speak at ${path}`);
}
