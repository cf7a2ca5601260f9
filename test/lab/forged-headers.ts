import assert from "node:assert/strict";
import { existsSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { stopService } from "./content.ts";
import { openDialog } from "./dialog.ts";
import { fail2banLog } from "./fail2ban.ts";
import { logIn } from "./mail.ts";
import { SERVER } from "./network.ts";
import { until } from "./wait.ts";
import type { Running } from "./with-product.ts";

const IMAP_OF_PROXIES = 393;
/** More than the jail allows. */
const ATTEMPTS = 6;

/**
 * Before the guard's table is in force, a trusted network of proxies sends sign-ins with wrong passwords whose header names forged
 * addresses. Fail2ban reports them once the table is in force.
 */
export async function forgeBeforeTheTable({ lab, product }: Running, named: readonly string[]): Promise<void> {
  const { layout } = product;
  const guard = await stopService(product, "guard");
  await lab.server.mustExec(["nft", "delete", "table", "inet", "ghostinbox"]);
  await Promise.all(named.flatMap((address) => Array.from({ length: ATTEMPTS }, (_, i) => signIn(address, i))));
  const reports = await until("Fail2ban has reported them", () => {
    const waiting = readdirSync(layout.fail2banSpool).filter((name) => name.endsWith(".json"));
    return named.every((address) => fail2banLog(product).includes(`[dovecot] Ban ${address}`)) &&
      waiting.length >= named.length
      ? waiting
      : null;
  });
  // Simulates a slower Fail2ban.
  for (const name of reports) renameSync(join(layout.fail2banSpool, name), lab.path(name));
  await guard.start();
  await until("the table is in force", async () => /proxied/.test(await product.firewall().catch(() => "")));
  for (const name of reports) renameSync(lab.path(name), join(layout.fail2banSpool, name));
  await until("they are taken", () => !reports.some((name) => existsSync(join(layout.fail2banSpool, name))));
  for (const address of named) assert.equal(await product.banOf(address), undefined, address);

  async function signIn(address: string, attempt: number): Promise<void> {
    using dialog = await openDialog(lab.server, { from: "127.0.0.1", to: "127.0.0.1", port: IMAP_OF_PROXIES });
    dialog.send(`PROXY TCP4 ${address} ${SERVER.v4} ${4_000 + attempt} 993`);
    await dialog.startTls();
    await dialog.line();
    await logIn(dialog, "nobody@example.test", `wrong ${attempt}`);
  }
}
