import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { type LabBrowser, PAGE } from "./browser.ts";
import { hasFocus, press, type } from "./keyboard.ts";
import { looksWell } from "./looks.ts";
import type { Product } from "./product.ts";

const KEY = "limits.mail.per_day";

/** Changes the settings file on the page Settings. The page of `browser` is signed in, and its proof is fresh. */
export async function changesALimit(browser: LabBrowser, product: Product): Promise<void> {
  const { page } = browser;
  const file = (): string => readFileSync(product.layout.settings, "utf8");
  const before = `# My own words.\n${file()}`;
  writeFileSync(product.layout.settings, before);
  await page.goto(`${PAGE}#/settings?group=limits`);
  const field = page.getByLabel(KEY, { exact: true });
  const hint = page.locator(`[id="${(await field.getAttribute("aria-describedby")) ?? ""}"]`);
  await hint.filter({ hasText: "within any 24 hours" }).waitFor();
  const look = page.getByRole("button", { name: "Preview" });
  await type(field, "0");
  await press(look);
  await page.getByRole("alert").getByText(`${KEY} must be a whole number from 1 to 1000000, not 0.`).waitFor();
  await hasFocus(page.getByRole("region", { name: "These values are not allowed" }));
  await looksWell(page, "a value that is not possible");
  await press(page.getByRole("button", { name: "Back to the list" }));
  await page.locator("h1:focus").waitFor();
  await type(field, "150");
  await looksWell(page, "a setting that is edited");
  await page.goto(`${PAGE}#/bans`);
  await page.getByRole("heading", { level: 1, name: "Bans" }).waitFor();
  await page.goBack();
  await hasFocus(page.getByRole("heading", { level: 1, name: "Settings" }));
  assert.equal(await field.inputValue(), "150", "an edit is kept on another page");
  const answered = Promise.withResolvers<void>();
  await page.route("**/settings/preview", async (request) => {
    await answered.promise;
    await request.continue();
  });
  await press(look);
  // The page is inert until the answer arrives.
  await page.locator("main [inert]").waitFor();
  answered.resolve();
  await page.getByText(`+ ${KEY} = 150`).waitFor();
  await page.getByRole("heading", { name: "The last 7 days under these limits" }).waitFor();
  await page.unroute("**/settings/preview");
  assert.equal(file(), before, "a preview writes nothing");
  await looksWell(page, "what a setting would do");
  await press(page.getByRole("button", { name: "Apply" }));
  await page.getByText(`In force: ${KEY}.`).waitFor();
  assert.ok(file().startsWith("# My own words.\n") && file().includes(`\n${KEY} = 150\n`), file());
  const shown = JSON.stringify(await product.json(["config", "show"]));
  assert.match(shown, /"key":"limits\.mail\.per_day","value":"150","from":"file","line":\d+,"applied":true/);
  await looksWell(page, "a setting that is changed");
  await press(page.getByRole("button", { name: "Undo this" }));
  await page.getByText(`Restored: ${KEY}.`).waitFor();
  assert.equal(file(), before, "byte for byte");
  const again = JSON.stringify(await product.json(["config", "show"]));
  assert.match(again, /"key":"limits\.mail\.per_day","value":"200","from":"default","line":null,"applied":true/);
}
