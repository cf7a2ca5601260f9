import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { type LabBrowser, PAGE } from "./browser.ts";
import { pressSurely } from "./dashboard-steps.ts";
import { enter, press, reach, type } from "./keyboard.ts";
import { looksWell, showsWell } from "./looks.ts";
import { ANNA } from "./mail.ts";
import type { Product } from "./product.ts";

const BANNED = "198.51.100.91";
const OFFICE = "office@example.test";
const NETWORK = "2001:db8:1234:5678::/64";
/** A phone whose keyboard is open. */
const SHORT = { width: 390, height: 300 };
const ALIAS = `${"w".repeat(64)}@example.test`;

/** Refusals and lasting changes that the other flows do not visit. The page of `browser` is signed in. */
export async function comesToOtherStops({ page }: LabBrowser, product: Product): Promise<void> {
  // The pointer rests where messages appear, which must not keep them open.
  const { width, height } = page.viewportSize() ?? assert.fail("no size");
  await page.mouse.move(width - 40, height - 40);
  await liftsABan(page);
  await isRefused(page);
  await blocksAnAlias(page, product);
  await keepsAnAccountOut(page, product);
  await page.locator(".toast").filter({ hasText: BANNED }).waitFor({ state: "detached" });
}

async function liftsABan(page: Page): Promise<void> {
  await page.goto(`${PAGE}#/bans?text=${BANNED}`);
  const unban = page.getByRole("button", { name: `Unban ${BANNED}` });
  await press(unban);
  const toast = page.locator(".toast").filter({ hasText: `${BANNED} is no longer banned.` });
  await toast.waitFor();
  await unban.and(page.locator(":focus")).and(page.locator("[aria-disabled=true]")).waitFor();
  // While the undo button has the focus, the message stays.
  await reach(toast.getByRole("button", { name: "Undo" }));
  await looksWell(page, "a ban that is over, in its place");
  await page.keyboard.press("Control+z");
  await page.getByText(`${BANNED} is banned`).waitFor();
}

async function isRefused(page: Page): Promise<void> {
  await page.goto(`${PAGE}#/bans?ban=nobody`);
  await press(page.getByRole("button", { name: "Preview" }));
  await showsWell(page.getByText("“nobody” is not an IP address or a network."), "an address that is refused");
  await page.goto(`${PAGE}#/bans?show=allowed`);
  await press(page.getByRole("button", { name: "Allow a network" }));
  const form = page.getByRole("region", { name: "Allow a network" });
  const network = form.getByLabel("Address or network");
  await page.setViewportSize(SHORT);
  await enter(network, "0.0.0.0/0");
  await form.getByRole("alert").waitFor();
  const inWindow = "document.querySelector('.fields > .error').getBoundingClientRect().bottom <= innerHeight";
  assert.ok(await page.evaluate<boolean>(inWindow), "a refusal is shown where the reader looks");
  await type(network, "0.0.0.0/1");
  await showsWell(form.getByRole("alert"), "a network that is refused, and the reason while it is corrected");
  await page.goto(`${PAGE}#/events`);
  await page.getByRole("listitem").first().waitFor();
  await page.goto(`${PAGE}#/events?ip=300.1.1.1`);
  await showsWell(page.getByRole("alert").getByText("is not an IP address"), "a filter that is refused");
  assert.equal(await page.locator("main").getByRole("listitem").count(), 0);
}

async function blocksAnAlias(page: Page, product: Product): Promise<void> {
  await product.json(["alias", "add", ALIAS, ANNA, `${"w".repeat(60)}@elsewhere.test`]);
  await page.goto(`${PAGE}#/accounts?show=aliases`);
  await press(page.getByRole("button", { name: `Block ${ALIAS}` }));
  await page.getByText("blocked: its mail is refused").waitFor();
  await pressSurely(page, `Remove ${ALIAS}`, "a blocked alias, and the question whether to remove it");
  await page.getByText(`${ALIAS} is no longer an alias.`).waitFor();
}

async function keepsAnAccountOut(page: Page, product: Product): Promise<void> {
  await page.goto(`${PAGE}#/accounts?name=${OFFICE}`);
  await enter(page.getByLabel("Network, such as 203.0.113.0/24"), NETWORK);
  const take = page.getByRole("button", { name: `Remove ${NETWORK}` });
  await take.waitFor();
  await product.json(["account", "suspend", OFFICE]);
  await page.reload();
  await showsWell(page.getByRole("button", { name: "Resume" }), "an account that is kept out");
  await press(take);
  await page.getByText("No network is set: anywhere the settings allow.").waitFor();
  await take.waitFor({ state: "detached" });
  await press(page.getByRole("button", { name: "Resume" }));
  await page.getByText(`${OFFICE} can sign in again.`).waitFor();
}
