import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { BanItem } from "../../src/admin/bans.ts";
import { sendMail } from "./mail.ts";
import type { Product } from "./product.ts";
import { until } from "./wait.ts";

/** Fail2ban's own log. */
export function fail2banLog({ layout }: Product): string {
  const file = join(layout.log, "fail2ban", "current");
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}

/** Waits until the last jail has started; they start one after another. */
export async function fail2banRuns(product: Product): Promise<void> {
  await until("Fail2ban is ready", () => fail2banLog(product).includes("Jail 'ghostinbox-dashboard' started"));
}

/** Waits for a ban by a jail whose reason contains these words. */
export async function bannedByJail(product: Product, jail: string, ip: string, words = ""): Promise<BanItem> {
  const ban = await until(`${jail} causes a ban of ${ip}`, () => product.banOf(ip));
  assert.equal(ban.source, "fail2ban");
  assert.match(ban.reason, new RegExp(`jail ${jail}\\)${words}`));
  return ban;
}

export function lengthMs({ createdAt, expiresAt }: BanItem): number {
  return Date.parse(expiresAt ?? "") - Date.parse(createdAt);
}

/**
 * Resolves when the jail `postfix` has read all of the current mail.log. It reads line by line, so its report about `relay`,
 * an address that tries to relay mail, comes after those about earlier lines.
 */
export async function jailHasRead(product: Product, relay: string): Promise<void> {
  const { attacker } = product.lab;
  for (let i = 0; i < 3; i++) await sendMail({ host: attacker, from: relay, recipient: "someone@elsewhere.test" });
  await until("Fail2ban has read so far", () => product.banOf(relay));
}
