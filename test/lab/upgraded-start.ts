import assert from "node:assert/strict";
import { WELL_MS } from "./owner.ts";
import type { Traffic } from "./traffic.ts";
import { until } from "./wait.ts";
import { WebClient } from "./web-client.ts";
import type { Running } from "./with-product.ts";

/** A start that brings the databases of `becomeOld` up to date, in the middle of traffic, and takes this ADMIN_PASSWORD. */
export async function startsUpgraded({ lab, product }: Running, traffic: Traffic, password: string): Promise<void> {
  await product.start();
  assert.match(
    product.output,
    /^The databases are brought up to date\. .* \(engine\.db of schema 8, accounts\.db of /m,
  );
  const counts = (): readonly number[] => [traffic.count("mail"), traffic.count("sign-in")];
  const before = counts();
  await until("mail and sign-ins go on", () => counts().every((count, i) => count > (before[i] ?? 0)), WELL_MS);
  assert.deepEqual(await product.sqlite("SELECT count(*) FROM event WHERE id <= 172"), [["172"]]);
  assert.match(await product.firewallBans(), /203\.0\.113\.200/);
  const page = await WebClient.from(lab.server, { from: "127.0.0.1", to: "127.0.0.1", port: 3000 });
  assert.equal((await page.ask("POST", "/api/v1/login", { body: { password } })).status, 200);
}
