import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { type LabBrowser, PAGE } from "./browser.ts";
import { ANNA, MARKUP } from "./dashboard-looks.ts";
import { press, reach } from "./keyboard.ts";
import { looksWell } from "./looks.ts";
import type { Product } from "./product.ts";

const DORA = "dora@example.test";
const WRONG = [`${MARKUP}|{PLAIN}x`, `${"w".repeat(300)}@example.test|{PLAIN}x`, "right\u202Eto left"];
/** An existing account, and one with a weak password and unused fields. */
const RIGHT = [
  `${ANNA}|{PLAIN}lantern gravel otter 71`,
  `${DORA}|{PLAIN}password1234|userdb_mail=maildir:~/Maildir userdb_${"w".repeat(120)}=x <script>alert(2)</script>=x`,
];

/** Imports a file of accounts on the page Accounts. The page of `browser` is signed in, and its proof is fresh. */
export async function importsAccounts({ page }: LabBrowser, product: Product): Promise<void> {
  await page.goto(`${PAGE}#/accounts`);
  await press(page.getByRole("button", { name: "Import a file" }));
  const part = page.getByRole("region", { name: "Import a file" });
  await part.and(page.locator(":focus")).waitFor();
  await give(page, [""]);
  await page.getByText("Choose a file first.").waitFor();
  await looksWell(page, "an import without a file");
  await give(page, ["#".repeat(60_001)]);
  await page.getByText("The file is larger than 60 kB").waitFor();
  await give(page, WRONG);
  await page.getByText("Nothing was imported: 3 lines could not be read.").waitFor();
  await looksWell(page, "a file that cannot be imported");
  await give(page, RIGHT);
  const report = part.getByRole("status");
  await report.getByText("Imported: 1.").waitFor();
  for (const title of ["Not imported", "Not used", "Easy to guess"])
    await report.getByRole("heading", { name: title }).waitFor();
  assert.equal(await page.locator("main img, main script").count(), 0);
  await looksWell(page, "accounts that were imported");
  await page.getByRole("list", { name: "List of accounts" }).getByText(DORA).waitFor();
  await press(part.getByRole("button", { name: "Cancel" }));
  await page.getByRole("button", { name: "Import a file" }).and(page.locator(":focus")).waitFor();
  await product.json(["account", "remove", DORA, "--yes"]);
}

/** Chooses a file, as the browser's own dialog would. */
async function give(page: Page, lines: readonly string[]): Promise<void> {
  const file = page.getByLabel("File of accounts");
  await reach(file);
  await file.setInputFiles({ name: "accounts.cf", mimeType: "text/plain", buffer: Buffer.from(lines.join("\n")) });
  await press(page.getByRole("button", { name: "Import", exact: true }));
}
