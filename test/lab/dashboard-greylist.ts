import assert from "node:assert/strict";
import type { Locator, Page } from "playwright-core";
import { type LabBrowser, PAGE } from "./browser.ts";
import { ANNA } from "./dashboard-looks.ts";
import { enter, press } from "./keyboard.ts";
import { looksWell } from "./looks.ts";
import { sendMail } from "./mail.ts";
import { until } from "./wait.ts";
import type { Running } from "./with-product.ts";

const GREYLIST = `${PAGE}#/mail?show=greylist`;
const STRANGER = "198.51.100.75";
/** A mailbox name of maximum length (RFC 5321, 4.5.3.1.1). */
const SENDER = `${"c".repeat(64)}@sender.test`;

/** Accepts a code at once on the page Mail. The page of `browser` is signed in; greylisting is off. */
export async function letsACodeIn({ page }: LabBrowser, { lab, product }: Running): Promise<void> {
  const tries = async (): Promise<number> =>
    (await sendMail({ host: lab.sender, from: STRANGER, sender: SENDER, recipient: ANNA, subject: "Your code" })).code;
  await product.configure("greylist.enabled", "true");
  await until("it is deferred", async () => (await tries()) === 450);
  await page.goto(GREYLIST);
  const waiting = page.getByRole("list", { name: "Deferred, and not tried again yet" }).getByText(SENDER);
  await until("the mail is shown", () => refreshed(page, async () => (await waiting.count()) === 1));
  await looksWell(page, "a first mail that is deferred");
  await press(page.getByRole("button", { name: `Accept next try for ${ANNA}` }));
  await page.getByText(`Mail to ${ANNA} is accepted at its next try.`).waitFor();
  assert.equal(await tries(), 250);
  await until("it is shown no longer", () => refreshed(page, async () => (await waiting.count()) === 0));
  await ends(page);
  await product.configure("greylist.enabled", "false");

  await enter(page.getByLabel("Waiting recipient"), ANNA);
  // The message about the first may still be there, as that can be undone.
  await page.getByText(`Mail to ${ANNA} is accepted at its next try.`).last().waitFor();
  await endOf(page).waitFor();
  await looksWell(page, "a waiting recipient");
  assert.match(JSON.stringify(await product.json(["greylist", "list"])), new RegExp(ANNA));
  await ends(page);
}

async function refreshed(page: Page, is: () => Promise<boolean>): Promise<boolean> {
  await press(page.getByRole("button", { name: "Refresh" }));
  return is();
}

function endOf(page: Page): Locator {
  return page.getByRole("button", { name: `End it for ${ANNA}` });
}

async function ends(page: Page): Promise<void> {
  await press(endOf(page));
  await page.getByText("No recipient is waiting for a code.").waitFor();
}
