import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { type LabBrowser, PAGE } from "./browser.ts";
import { MARKUP } from "./dashboard-looks.ts";
import { pressSurely } from "./dashboard-steps.ts";
import { press } from "./keyboard.ts";
import { looksWell } from "./looks.ts";
import { submit } from "./submitted.ts";
import type { Running } from "./with-product.ts";

const HELD = `${PAGE}#/mail?show=held`;
const BEN = "ben@example.test";
const THIEF = "198.51.100.76";
/** More recipients than an account may write to from a new address. */
const MANY = 60;
const STRANGE = [`"${MARKUP.replaceAll('"', "'")}"@sender.test`, `${"w".repeat(64)}@sender.test`] as const;

/** Deletes one of a thief's mails on the page Mail and sends the next one; then the account is free. */
export async function decidesOnHeldMail({ page }: LabBrowser, running: Running): Promise<void> {
  const strangers = [...STRANGE, ...Array.from({ length: MANY }, (_, i) => `stranger${i}@sender.test`)];
  assert.equal(await submit(running, BEN, THIEF, ...strangers), 250);
  await page.goto(`${PAGE}#/now`);
  const task = page.getByRole("listitem").filter({ hasText: `1 mail of ${BEN} is held` });
  await task.waitFor();
  assert.doesNotMatch((await page.locator(".sentence").getAttribute("class")) ?? "", /\bok\b/);
  await looksWell(page, "mail that waits for the owner's decision");
  await press(task.getByRole("link", { name: "See the held mail" }));
  const list = page.getByRole("list", { name: "Accounts whose mail is held" });
  await list.getByText(/^62 strangers, limit \d+/).waitFor();
  await looksWell(page, "an account whose mail is held");
  const part = await opened(page, "1 mail");
  assert.equal(await part.getByRole("button").first().textContent(), "Cancel", "the first button changes nothing");
  await press(part.getByText("and 57 more"));
  await part.getByText("stranger59@sender.test").waitFor();
  await looksWell(page, "a decision on held mail");
  await pressSurely(part, "Delete 1 mail", "a question whether held mail shall be deleted");
  await page.getByText(`Deleted: 1 mail of ${BEN}. New mail is still held.`).waitFor();
  await page.locator("h1:focus").waitFor();
  await looksWell(page, "held mail that was deleted");
  assert.equal(await submit(running, BEN, THIEF, "friend@sender.test"), 250);
  await follow(page);
  await release(page);
  assert.match(JSON.stringify(await running.product.json(["account", "held"])), /"accounts":\[\]/);
}

/** The mail's own story, and that of its account. */
async function follow(page: Page): Promise<void> {
  const part = await opened(page, "1 mail");
  await press(part.getByRole("listitem").getByRole("link").first());
  await page.getByRole("heading", { level: 2, name: /^A mail: / }).waitFor();
  await looksWell(page, "the story of a mail");
  await page.goto(`${PAGE}#/accounts?name=${BEN}`);
  await page.getByText("It wrote to too many strangers").waitFor();
  await looksWell(page, "an account whose mail is held, and its rights");
  await page.goto(HELD);
}

async function release(page: Page): Promise<void> {
  const part = await opened(page, "1 mail");
  await press(part.getByRole("button", { name: "Send 1 mail and stop holding" }));
  await press(part.getByRole("button", { name: "Send 1 mail to strangers and stop holding" }));
  await page.getByText(`Sent: 1 mail of ${BEN}. New mail is no longer held.`).waitFor();
  await page.getByText("No mail of an account is held.").waitFor();
}

async function opened(page: Page, count: string) {
  await press(page.getByRole("button", { name: `Decide on the mail of ${BEN}` }));
  const part = page.getByRole("region", { name: `Decide on the mail of ${BEN}` });
  await part.and(page.locator(":focus")).waitFor();
  await part.getByText(`${count} of ${BEN} on hold`).waitFor();
  return part;
}
