import type { ChildProcess } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CHECKOUT } from "./checkout.ts";
import { openDialog } from "./dialog.ts";
import type { Host, Wish } from "./host.ts";
import type { Lab } from "./lab.ts";
import { SERVER } from "./network.ts";
import type { Product } from "./product.ts";
import { until } from "./wait.ts";

/** The proxy's address, on the sender's host, whose other addresses are strangers to the server. */
export const MAIL_PROXY = "198.51.100.10";

/** The server's ports for proxies, by default. */
export const PROXIED: readonly number[] = [325, 365, 387, 393];

/** The greeting of an SMTP server and the last line of its reply to this line, or less if it hangs up. */
export async function repliesTo(host: Host, wish: Wish, line: string): Promise<readonly string[]> {
  using dialog = await openDialog(host, wish);
  const replies = [await dialog.reply()];
  if (replies[0]?.code === 220) replies.push(await dialog.ask(line));
  return replies.map(({ code, lines }) => `${code} ${lines.at(-1) ?? ""}`);
}

/** Makes the running server trust proxies at these addresses, as docs/mail-proxy.md says. */
export async function trustProxies(product: Product, networks: readonly string[]): Promise<void> {
  await product.configure("proxy.networks", networks.join());
  const wish = { from: "198.51.100.225", to: MAIL_PROXY, port: 25 };
  await until("a client is accepted", async () => {
    const [greeting = ""] = await repliesTo(product.lab.attacker, wish, "QUIT").catch(() => []);
    return greeting.startsWith("220");
  });
}

/** HAProxy on another host than the server's, with the configuration of `examples`. */
export async function startMailProxy(lab: Lab): Promise<ChildProcess> {
  const folder = lab.path("haproxy");
  mkdirSync(folder);
  const file = join(folder, "haproxy.cfg");
  const example = readFileSync(join(CHECKOUT, "examples", "haproxy.cfg"), "utf8");
  writeFileSync(file, example.replaceAll("192.0.2.20", SERVER.v4));
  return lab.sender.spawnServer(["haproxy", "-db", "-f", file], MAIL_PROXY, 993);
}
