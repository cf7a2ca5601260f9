import assert from "node:assert/strict";
import type { Locator } from "playwright-core";
import type { LabBrowser } from "./browser.ts";
import { ANNA } from "./dashboard-looks.ts";
import type { Product } from "./product.ts";
import { until } from "./wait.ts";

/** Cards of *My mailbox*, where ANNA is signed in. `signsIn`: whether she is let in by IMAP. */

export async function makesAppPasswords(
  browser: LabBrowser,
  signsIn: (password: string) => Promise<boolean>,
): Promise<void> {
  const { page } = browser;
  const apps = cardOf(browser, "App passwords");
  await apps.getByText("There is no app password.").waitFor();
  const name = apps.getByLabel("Name of the device, such as phone");
  await name.fill("Annas Telefon");
  await page.keyboard.press("Enter");
  const secret = apps.getByLabel("App password", { exact: true });
  await secret.and(page.locator(":focus")).waitFor();
  assert.deepEqual(await browser.violations(), []);
  const password = await secret.inputValue();
  assert.ok(await signsIn(password), "it opens the mailbox");
  await apps.getByRole("button", { name: "I have typed it in" }).press("Enter");
  await secret.waitFor({ state: "detached" });
  const row = apps.getByRole("listitem").filter({ hasText: "Annas Telefon" });
  await name.fill("Annas Telefon");
  await page.keyboard.press("Enter");
  await page.getByText("There is an app password Annas Telefon already.").waitFor();
  await page.reload();
  await row.getByText(/made .* last used/).waitFor();
  await row.getByRole("button", { name: "Remove Annas Telefon" }).focus();
  await page.keyboard.press("Enter");
  await row.getByRole("button", { name: "Remove Annas Telefon for good" }).waitFor();
  await until("a second press counts", async () => {
    await page.keyboard.press("Enter");
    return (await page.getByText("The app password Annas Telefon is removed.").count()) > 0;
  });
  assert.ok(!(await signsIn(password)), "it is over");
}

/** `other`: an account. */
export async function sendsMailOn(browser: LabBrowser, product: Product, other: string): Promise<void> {
  const { page } = browser;
  const forwarding = cardOf(browser, "Forwarding");
  const address = forwarding.getByLabel("Address to which your mail is sent on");
  await address.fill("nobody@example.test");
  await page.keyboard.press("Enter");
  await page.getByText("nobody@example.test is neither an account nor an alias here.").waitFor();
  for (const to of [other, "anna@elsewhere.test"]) {
    await address.fill(to);
    await page.keyboard.press("Enter");
    await forwarding.getByRole("listitem").filter({ hasText: to }).waitFor();
  }
  const set = async () => JSON.stringify(await product.json(["account", "forward", ANNA]));
  assert.match(await set(), /"to":\["anna@elsewhere\.test","[^"]+"\],"keep":true/);
  await forwarding.getByRole("button", { name: "Keep no copy" }).click();
  await forwarding.getByText("No copy stays in your mailbox.").waitFor();
  assert.match(await set(), /"keep":false/);
  assert.deepEqual(await browser.violations(), []);
  for (const to of [other, "anna@elsewhere.test"]) {
    await forwarding.getByRole("button", { name: `Remove ${to}` }).click();
    await forwarding.getByRole("listitem").filter({ hasText: to }).waitFor({ state: "detached" });
  }
  await forwarding.getByText("Your mail is not sent on.").waitFor();
  assert.match(await set(), /"to":\[\]|null/);
}

export async function repliesWhileAway(browser: LabBrowser, product: Product): Promise<void> {
  const { page } = browser;
  const vacation = cardOf(browser, "Reply while you are away");
  await vacation.getByText("No reply is sent.").waitFor();
  await vacation.getByLabel("Text of the reply").fill("I am back on Monday.\nAnna");
  await vacation.getByLabel(/^Last day/).fill("2099-12-24");
  await vacation.getByRole("button", { name: "Send this reply" }).press("Enter");
  await vacation.getByText("The reply is sent. It ends").waitFor();
  assert.deepEqual(await browser.violations(), []);
  const set = async () => JSON.stringify(await product.json(["account", "vacation", ANNA]));
  assert.match(await set(), /I am back on Monday\.\\nAnna.*2099-12-2[45]/);
  await page.reload();
  assert.equal(await vacation.getByLabel("Text of the reply").inputValue(), "I am back on Monday.\nAnna");
  assert.equal(await vacation.getByLabel(/^Last day/).inputValue(), "2099-12-24");
  await vacation.getByRole("button", { name: "End it now" }).click();
  await vacation.getByText("No reply is sent.").waitFor();
  assert.doesNotMatch(await set(), /Monday/);
}

function cardOf({ page }: LabBrowser, name: string): Locator {
  return page.getByRole("region", { name, exact: true });
}
