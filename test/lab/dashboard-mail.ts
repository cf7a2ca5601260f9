import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import type { Layout } from "../../src/settings/layout.ts";
import { type LabBrowser, PAGE } from "./browser.ts";
import { ANNA, MARKUP } from "./dashboard-looks.ts";
import type { Host } from "./host.ts";
import { press, reach } from "./keyboard.ts";
import { looksWell } from "./looks.ts";
import type { Product } from "./product.ts";
import { until } from "./wait.ts";

/** No server answers for its domain. */
const NOBODY = "nobody@sender.test";
export const HOSTILE = `"${MARKUP.replaceAll('"', "'")}"@sender.test`;

/** Sends a mail of each that must wait. */
export async function putIntoQueue(server: Host, { postfixConf }: Layout, senders: readonly string[]): Promise<void> {
  for (const sender of senders) {
    const script = 'printf "Subject: waits\\n\\nHello.\\n" | sendmail -C "$0" -f "$1" "$2"';
    await server.mustExec(["sh", "-c", script, postfixConf, sender, NOBODY]);
  }
}

/** Handles a waiting mail on the page Mail. The page of `browser` is signed in, and has just proved its password. */
export async function letsWaitAndDeletes({ page }: LabBrowser, product: Product): Promise<void> {
  await page.goto(`${PAGE}#/mail?sender=${ANNA}`);
  const mail = page.getByRole("listitem").filter({ hasText: NOBODY });
  await until("it was tried in vain", async () => {
    await press(page.getByRole("button", { name: "Refresh" }));
    return (
      (await mail.getByText(/deferred/).count()) === 1 && (await mail.getByText("No try has failed yet.").count()) === 0
    );
  });
  await holdAndRelease(page, product);
  await deleteWithProof(page, product);
  await page.goto(`${PAGE}#/mail`);
  await page.getByText("<script>alert(2)</script>").first().waitFor();
  assert.equal(await page.locator("main img, main script").count(), 0);
}

async function holdAndRelease(page: Page, product: Product): Promise<void> {
  await press(page.getByRole("button", { name: /^Hold: [0-9A-Za-z]+$/ }));
  await page.getByText("On hold: 1 mail.").waitFor();
  await page.getByText("on hold by hand").waitFor();
  await page
    .getByRole("button", { name: /^Release: [0-9A-Za-z]+$/ })
    .and(page.locator(":focus"))
    .waitFor();
  assert.match(JSON.stringify(await product.json(["queue", "list"])), /"heldFor":"root"/);
  const undo = page.getByRole("button", { name: "Undo" }).first();
  await reach(undo);
  await looksWell(page, "a mail on hold, and what undoes it");
  await press(undo);
  await page.getByText("Released: 1 mail.").waitFor();
  await page.getByText("on hold by hand").waitFor({ state: "hidden" });
}

async function deleteWithProof(page: Page, product: Product): Promise<void> {
  await press(page.getByRole("checkbox", { name: "Select all shown" }), "Space");
  await page.getByText("1 selected").waitFor();
  await press(page.getByRole("button", { name: "Delete", exact: true }));
  await page.getByText("Delete 1 mail for good?").waitFor();
  await looksWell(page, "a question whether a mail shall be deleted");
  await press(page.getByRole("button", { name: "Delete: 1 mail" }));
  await page.getByText("Deleted: 1 mail.").waitFor();
  await page.getByText("No waiting mail matches.").waitFor();
  const events = JSON.stringify(await product.json(["events", "--type", "QUEUE_DELETED"]));
  assert.match(events, /"actor":"web:admin via 127\.0\.0\.1"/);
}
