import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { type LabBrowser, PAGE } from "./browser.ts";
import { choose, enter, hasFocus, press, reach, saved, type } from "./keyboard.ts";
import { looksWell, showsWell } from "./looks.ts";
import type { Product } from "./product.ts";
import { until } from "./wait.ts";

const NEW = 12;

/** Finds events with each filter and with none, pauses the list while events arrive, and saves it. The page of `browser` is signed in. */
export async function findsEvents({ page }: LabBrowser, product: Product): Promise<void> {
  await page.goto(`${PAGE}#/events`);
  await filter(page);
  await findsNone(page);
  await pause(page, product);
  await save(page, product);
}

async function filter(page: Page): Promise<void> {
  await choose(page.getByLabel("Kind"), "Ban");
  await page.waitForURL(/type=BAN$/);
  await type(page.getByLabel("Address or network"), "198.51.100.0/24");
  await type(page.getByLabel("Text", { exact: true }), "script");
  for (const [end, year] of Object.entries({ From: "2020", To: "2099" })) {
    await reach(page.getByLabel(end, { exact: true }));
    // A year may have more digits. With a 24-hour clock the field has no last part.
    await page.keyboard.type(`0101${year}`);
    await page.keyboard.press("ArrowRight");
    await page.keyboard.type("1200PM");
  }
  await press(page.getByRole("button", { name: "Filter", exact: true }));
  await page.waitForURL(/from=2020-01-01.*to=2099-01-01/);
  await until("only what was asked for is left", async () => {
    const rows = await page.getByRole("listitem").allInnerTexts();
    return rows.length > 0 && rows.every((row) => row.includes("<script>alert(2)</script>"));
  });
  await looksWell(page, "filtered events");
}

async function findsNone(page: Page): Promise<void> {
  const answered = Promise.withResolvers<void>();
  await page.route("**/api/v1/events*", async (request) => {
    await answered.promise;
    await request.continue();
  });
  await enter(page.getByRole("textbox", { name: "Account" }), "nobody@example.test");
  const status = page.getByRole("status");
  await status.filter({ hasText: "Loading …" }).waitFor();
  answered.resolve();
  await showsWell(status.filter({ hasText: "No event matches." }), "no event that matches");
  await page.unroute("**/api/v1/events*");
  const clear = page.getByRole("button", { name: "Clear" });
  await press(clear);
  await page.locator("[aria-disabled=true]").and(clear).waitFor();
  await hasFocus(clear);
  assert.equal(await page.getByRole("textbox", { name: "Account" }).inputValue(), "");
}

async function pause(page: Page, product: Product): Promise<void> {
  await choose(page.getByLabel("Kind"), "Ban");
  await page.waitForURL(/type=BAN$/);
  await press(page.getByRole("button", { name: "Pause" }), "Space");
  for (let last = 0; last < NEW; last += 1)
    await product.api("POST", "/api/v1/bans", { ip: `198.51.100.${120 + last}` });
  const waiting = page.getByRole("button", { name: `${NEW} new` });
  await showsWell(waiting, "events that wait while the list is paused");
  assert.equal(await page.getByRole("listitem").filter({ hasText: "198.51.100.131" }).count(), 0);
  await press(waiting);
  await page.getByRole("listitem").filter({ hasText: "198.51.100.131" }).waitFor();
  await hasFocus(page.getByRole("button", { name: "0 new", exact: true }));
}

async function save(page: Page, product: Product): Promise<void> {
  const file = await saved(page.getByRole("button", { name: "Export JSON" }));
  assert.match(file.suggestedFilename(), /^ghostinbox-events-.*\.json$/);
  await showsWell(page.getByText(/^\d+ events are exported\./), "events that were saved");
  await product.api("POST", "/api/v1/bans", { ip: "198.51.100.132" });
  await page.getByRole("button", { name: "1 new" }).waitFor();
  await press(page.getByRole("button", { name: "Resume" }));
  await hasFocus(page.getByRole("button", { name: "Pause" }));
  await page.mouse.move(5, 5);
  await page.getByRole("listitem").filter({ hasText: "198.51.100.132" }).waitFor();
}
