import assert from "node:assert/strict";
import { test } from "node:test";
import { openDialog } from "./dialog.ts";
import { mailsIn } from "./mailbox.ts";
import { SERVER } from "./network.ts";
import { until } from "./wait.ts";
import type { Running } from "./with-product.ts";

const BANNED = "198.51.100.210";
const TITLE = "A banned address still reaches a mail server";

/** For a server that mails alerts to anna@example.test. */
export function leakTests({ lab, product }: Running): void {
  const reaches = () => lab.attacker.reaches({ from: BANNED, to: SERVER.v4, port: 25, timeoutMs: 400 });

  test("a ban that something else removed from the kernel: Postfix still refuses", async () => {
    await product.json(["ban", BANNED, "it scanned us"]);
    await until("it is out", async () => !(await reaches()));
    await lab.server.mustExec(["nft", "delete", "element", "inet", "ghostinbox", "ban4", `{ ${BANNED} }`]);
    const dialog = await openDialog(lab.attacker, { from: BANNED, to: SERVER.v4, port: 25 });
    assert.equal((await dialog.reply()).code, 421, "it reaches Postfix, which asks the guard");
    dialog.close();
    assert.equal(await product.notice("bans_leak"), undefined, "so soon after the ban it may have been on its way");
  });

  test("is reported, by a notice and by mail, once the ban should have worked", async () => {
    const isRaised = async (): Promise<boolean> => {
      await reaches();
      return (await product.notice("bans_leak"))?.startsWith(`${BANNED}, banned since `) === true;
    };
    await until("the notice is raised", isRaised, 40_000);
    const alert = () => mailsIn(product.layout, "anna@example.test").find((mail) => mail.includes(TITLE));
    const text = await until("the owner has a mail about it", alert, 30_000);
    assert.match(text, new RegExp(`${RegExp.escape(BANNED)}, banned since .*, reached smtp`));
  });

  test("and fixed: the table is rebuilt, and holds the ban", async () => {
    await until("it is out again", async () => !(await reaches()));
    assert.match(await product.firewall(), new RegExp(`set ban4 \\{[^}]*${RegExp.escape(BANNED)}`));
  });
}
