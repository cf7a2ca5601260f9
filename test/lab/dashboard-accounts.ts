import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { type LabBrowser, PAGE } from "./browser.ts";
import { MARKUP } from "./dashboard-looks.ts";
import { pressSurely } from "./dashboard-steps.ts";
import { choose, hasFocus, press, reach, type } from "./keyboard.ts";
import type { Lab } from "./lab.ts";
import { looksWell, showsWell } from "./looks.ts";
import { ANNA, authenticate, mailOver, openImapAs, openSubmission, tryLogIn } from "./mail.ts";
import type { Product } from "./product.ts";
import { until } from "./wait.ts";
import type { Running } from "./with-product.ts";

const NAME = "clara@example.test";
const ALIAS = "orders@example.test";
const USER = "198.51.100.74";
/** After this, the vacation reply ends, while the test does other things. */
const AWAY_MS = 5_000;
const TYPED = "lantern gravel otter 71";

/** Changes an account on the page Accounts, and checks the effect for its user. The page of `browser` is signed in. */
export async function managesAccounts({ page }: LabBrowser, { lab, product }: Running): Promise<void> {
  const signsIn = async (password: string) => (await tryLogIn(lab.sender, USER, NAME, password)).startsWith("OK");
  const made = await addsAccount(page);
  assert.ok(await signsIn(made), "with the password that the server made");
  const endsAt = new Date(Date.now() + AWAY_MS).toISOString();
  await product.json(["account", "vacation", NAME, "I am away.", "--until", endsAt]);
  await press(page.getByRole("link", { name: NAME }));
  await page.getByRole("heading", { level: 2, name: NAME, exact: true }).waitFor();
  // The second press comes after the answer, when the button says "Resume".
  await page.getByRole("button", { name: "Suspend" }).dblclick({ delay: 300 });
  await page.getByText(`${NAME} is suspended.`).waitFor();
  assert.ok(!(await signsIn(made)), "suspended");
  await press(page.getByRole("button", { name: "Resume" }));
  await page.getByText(`${NAME} can sign in again.`).waitFor();
  assert.ok(await signsIn(made), "resumed");
  await type(page.getByLabel("Password (empty: the server generates one)"), TYPED);
  await press(page.getByRole("button", { name: "Set a new password" }));
  await page.getByText(`${NAME} has a new password.`).waitFor();
  // The empty field is refused until the focus has left it.
  await page.keyboard.press("Enter");
  await page.locator(":focus:invalid").waitFor();
  await page.keyboard.press("Tab");
  await page.getByLabel("Password (empty: the server generates one)").waitFor();
  assert.ok(await signsIn(TYPED), "with the new password");
  assert.ok(!(await signsIn(made)), "and no longer with the old one");
  await choose(page.getByRole("combobox", { name: "Quota" }), "1 GB");
  await press(page.getByRole("button", { name: "Save" }));
  await page.getByText(/ of 1 GB, /).waitFor();
  const added = JSON.stringify(await product.json(["account", "app-password", "add", NAME, "phone"]));
  const password = /"password":"([^"]+)"/.exec(added)?.[1] ?? assert.fail(added);
  assert.ok(await signsIn(password), "with an app password");
  await product.json(["account", "app-password", "add", NAME, "tablet"]);
  await product.json(["account", "forward", NAME, "clara@elsewhere.test", "--no-keep"]);
  await endsWhatIsSet(page, product);
  assert.ok(!(await signsIn(password)), "and no longer with that");
  await addsAlias(page, lab);
  await removesAccount(page);
  assert.ok(!(await signsIn(TYPED)), "removed");
}

/** Returns the password that the server generated. */
async function addsAccount(page: Page): Promise<string> {
  await page.goto(`${PAGE}#/accounts`);
  await press(page.getByRole("button", { name: "Add an account" }));
  const form = page.getByRole("region", { name: "Add an account" });
  const add = form.getByRole("button", { name: "Add an account" });
  await type(form.getByLabel("Address, such as anna@example.org"), NAME);
  await type(form.getByLabel("Password (empty: the server generates one)"), "password1234");
  await press(add);
  await showsWell(page.getByText(/too easy to guess/), "an account with a password that is refused");
  await type(form.getByLabel("Password (empty: the server generates one)"), "");
  await press(add);
  const password = await form.getByLabel("New password", { exact: true }).inputValue();
  await looksWell(page, "the password of an account");
  await press(form.getByRole("button", { name: "I have saved it" }));
  await form.getByLabel("New password", { exact: true }).waitFor({ state: "detached" });
  await hasFocus(page.getByRole("button", { name: "Add an account" }));
  return password;
}

/** Removes an app password, the forwarding and the vacation reply, as after a hijack. */
async function endsWhatIsSet(page: Page, product: Product): Promise<void> {
  await page.reload();
  const card = page.getByRole("region", { name: "App passwords, forwarding, reply" });
  await card.getByText(/last used .*, made by root/).waitFor();
  await product.json(["account", "app-password", "remove", NAME, "tablet"]);
  await pressSurely(card, "Remove app password tablet");
  await page.getByText(`${NAME} has no app password named tablet.`).waitFor();
  await card.getByText("App password tablet").waitFor({ state: "detached" });
  await card.getByText("clara@elsewhere.test (keeps no copy)").waitFor();
  await card.getByText(/I am away\. \(ended /).waitFor();
  for (const what of ["app password phone", "forwarding", "vacation reply"]) {
    await pressSurely(card, `Remove ${what}`);
    await page.getByText(`${what}: removed.`).waitFor();
  }
  await card.getByText("None is set.").waitFor();
}

async function addsAlias(page: Page, { sender }: Lab): Promise<void> {
  await press(page.getByRole("link", { name: "Aliases", exact: true }));
  await press(page.getByRole("button", { name: "Add an alias" }));
  const form = page.getByRole("region", { name: "Add an alias" });
  await type(form.getByLabel("Alias, such as info@example.org"), ALIAS);
  await type(form.getByLabel(/^Goes to/), NAME);
  await looksWell(page, "an alias");
  await press(form.getByRole("button", { name: "Add an alias" }));
  await showsWell(page.getByRole("listitem").filter({ hasText: ALIAS }), "the aliases");
  const submission = await openSubmission(sender, USER, 465);
  assert.equal((await authenticate(submission, NAME, TYPED)).code, 235);
  assert.equal((await mailOver(submission, { sender: NAME, recipient: ALIAS })).code, 250);
  submission.close();
  using imap = await openImapAs(sender, USER, NAME, TYPED);
  await until("the alias has delivered", async () => (await imap.imap("SELECT INBOX")).includes("* 1 EXISTS"));
}

async function removesAccount(page: Page): Promise<void> {
  await page.goto(`${PAGE}#/accounts?name=${NAME}`);
  await pressSurely(page, `Remove ${NAME}`, "the question whether to remove an account");
  await page.getByText(`${NAME} is removed. Its mail stays on the disk.`).waitFor();
  await page.getByRole("list", { name: "List of accounts" }).getByRole("link").first().waitFor();
  assert.equal(await page.getByRole("link", { name: NAME }).count(), 0);
}

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
  await hasFocus(part);
  await give(page, [""]);
  await showsWell(page.getByText("Choose a file first."), "an import without a file");
  await give(page, ["#".repeat(60_001)]);
  await page.getByText("The file is larger than 60 kB").waitFor();
  await give(page, WRONG);
  await showsWell(page.getByText("Nothing was imported: 3 lines could not be read."), "a file that cannot be imported");
  await give(page, RIGHT);
  const report = part.getByRole("status");
  await report.getByText("Imported: 1.").waitFor();
  for (const title of ["Not imported", "Not used", "Easy to guess"])
    await report.getByRole("heading", { name: title }).waitFor();
  assert.equal(await page.locator("main img, main script").count(), 0);
  await looksWell(page, "accounts that were imported");
  await page.getByRole("list", { name: "List of accounts" }).getByText(DORA).waitFor();
  await press(part.getByRole("button", { name: "Cancel" }));
  await hasFocus(page.getByRole("button", { name: "Import a file" }));
  await product.json(["account", "remove", DORA, "--yes"]);
}

/** Chooses a file, as the browser's own dialog would. */
async function give(page: Page, lines: readonly string[]): Promise<void> {
  const file = page.getByLabel("File of accounts");
  await reach(file);
  await file.setInputFiles({ name: "accounts.cf", mimeType: "text/plain", buffer: Buffer.from(lines.join("\n")) });
  await press(page.getByRole("button", { name: "Import", exact: true }));
}
