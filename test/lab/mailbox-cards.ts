import assert from "node:assert/strict";
import type { Locator } from "playwright-core";
import type { LabBrowser } from "./browser.ts";
import { GUEST, LONG_WORD, MARKUP, strangersSend, TURNED } from "./dashboard-looks.ts";
import { pressSurely } from "./dashboard-steps.ts";
import { enter, hasFocus, press, reach, type } from "./keyboard.ts";
import { looksWell } from "./looks.ts";
import { ANNA, assertAccepted, sendMail } from "./mail.ts";
import type { Product } from "./product.ts";
import type { Running } from "./with-product.ts";

/** Cards of *My mailbox*, where ANNA is signed in. `signsIn`: whether IMAP accepts her. */

export async function makesAppPasswords(
  browser: LabBrowser,
  signsIn: (password: string) => Promise<boolean>,
): Promise<void> {
  const { page } = browser;
  const apps = cardOf(browser, "App passwords");
  await apps.getByText("No app passwords yet.").waitFor();
  const name = apps.getByLabel("Name of the device, such as phone");
  await enter(name, "Annas Telefon");
  const secret = apps.getByLabel("App password", { exact: true });
  await secret.and(page.locator(":focus")).waitFor();
  await looksWell(page, "an app password");
  const password = await secret.inputValue();
  assert.ok(await signsIn(password), "it opens the mailbox");
  await press(apps.getByRole("button", { name: "I have saved it" }));
  await secret.waitFor({ state: "detached" });
  const row = apps.getByRole("listitem").filter({ hasText: "Annas Telefon" });
  await enter(name, "Annas Telefon");
  await page.getByText("There is already an app password Annas Telefon.").waitFor();
  await page.reload();
  await row.getByText(/created .* last used/).waitFor();
  await pressSurely(row, "Remove Annas Telefon", "the question whether to remove an app password");
  await page.getByText("The app password Annas Telefon is removed.").waitFor();
  await hasFocus(apps);
  assert.ok(!(await signsIn(password)), "it is over");
}

/** `other`: an account. */
export async function sendsMailOn(browser: LabBrowser, product: Product, other: string): Promise<void> {
  const { page } = browser;
  const forwarding = cardOf(browser, "Forwarding");
  const address = forwarding.getByLabel("Address to forward your mail to");
  await enter(address, "nobody@example.test");
  await page.getByText("Your mail cannot be forwarded to nobody@example.test.").waitFor();
  for (const to of [other, "anna@elsewhere.test"]) {
    await enter(address, to);
    await forwarding.getByRole("listitem").filter({ hasText: to }).waitFor();
  }
  const set = async () => JSON.stringify(await product.json(["account", "forward", ANNA]));
  assert.match(await set(), /"to":\["anna@elsewhere\.test","[^"]+"\],"keep":true/);
  await press(forwarding.getByRole("button", { name: "Keep no copy" }));
  await forwarding.getByText("No copy stays in your mailbox.").waitFor();
  assert.match(await set(), /"keep":false/);
  await looksWell(page, "forwarding addresses");
  for (const to of [other, "anna@elsewhere.test"]) {
    await press(forwarding.getByRole("button", { name: `Remove ${to}` }));
    await forwarding.getByRole("listitem").filter({ hasText: to }).waitFor({ state: "detached" });
  }
  await forwarding.getByText("Your mail is not forwarded.").waitFor();
  assert.match(await set(), /"to":\[\]|null/);
}

/** Her session ends while she types. */
export async function repliesWhileAway(browser: LabBrowser, product: Product, password: string): Promise<void> {
  const { page } = browser;
  const vacation = cardOf(browser, "Reply while you are away");
  await vacation.getByText("No reply is sent.").waitFor();
  await type(vacation.getByLabel("Text of the reply"), "I am back on Monday.\nAnna");
  await reach(vacation.getByLabel(/^Last day/));
  await page.keyboard.type("12122099");
  await page.evaluate("fetch('/api/v1/logout', { method: 'POST' }).then(({ status }) => status)");
  await press(vacation.getByRole("button", { name: "Send this reply" }));
  const dialog = page.getByRole("dialog", { name: "Confirm your password" });
  await enter(dialog.getByLabel("Password of your mailbox"), password);
  await vacation.getByText("The reply is sent until").waitFor();
  await looksWell(page, "a reply while the user is away");
  const set = async () => JSON.stringify(await product.json(["account", "vacation", ANNA]));
  assert.match(await set(), /I am back on Monday\.\\nAnna.*2099-12-1[12]/);
  await page.reload();
  assert.equal(await vacation.getByLabel("Text of the reply").inputValue(), "I am back on Monday.\nAnna");
  assert.equal(await vacation.getByLabel(/^Last day/).inputValue(), "2099-12-12");
  await press(vacation.getByRole("button", { name: "End it now" }));
  await vacation.getByText("No reply is sent.").waitFor();
  assert.doesNotMatch(await set(), /Monday/);
}

const cardOf = ({ page }: LabBrowser, name: string): Locator => page.getByRole("region", { name, exact: true });

/** A sender chooses it. */
export const STRANGE_ID = `<${MARKUP.replaceAll(/[^a-z]+/g, "$")}${LONG_WORD}@sender.test>`;
export const STRANGE_REPLY = `${MARKUP} ${TURNED} ${LONG_WORD}`;
const LONG_DOMAIN = `${Array.from({ length: 3 }, () => "w".repeat(59)).join(".")}.test`;
const LONG_ADDRESS = `${"w".repeat(64)}@${LONG_DOMAIN}`;

/** Fills ANNA's mailbox with the longest and strangest text that the server accepts from strangers, from her and from the owner. */
export async function fillStrangely({ lab, product }: Running): Promise<void> {
  const headers = ["From: <someone@sender.test>", `Message-ID: ${STRANGE_ID}`, `Subject: ${STRANGE_REPLY}`];
  const text = `${headers.join("\r\n")}\r\n\r\nHello.`;
  assertAccepted(await sendMail({ host: lab.sender, from: GUEST, text }));
  await strangersSend(lab, product);
  await product.json(["alias", "add", `${"w".repeat(64)}@example.test`, ANNA]);
  await product.json(["account", "forward", ANNA, LONG_ADDRESS]);
  await product.json(["account", "vacation", ANNA, STRANGE_REPLY, "--subject", `${MARKUP} ${TURNED}`]);
  await product.json(["account", "app-password", "add", ANNA, "w".repeat(40)]);
  await product.json(["spam", "allow", "add", ANNA, LONG_ADDRESS]);
}
