import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { STEP_MS } from "../../src/guard/access/one-time-codes.ts";
import { codeOf } from "../kit/totp.ts";
import { type LabBrowser, PAGE } from "./browser.ts";
import { signIn } from "./dashboard-steps.ts";
import { enter, press, saved } from "./keyboard.ts";
import { looksWell, showsWell } from "./looks.ts";
import { ADMIN_PASSWORD, type Product } from "./product.ts";
import { until } from "./wait.ts";

const SECURITY = `${PAGE}#/system?show=security`;

/**
 * Sets up an authenticator app, signs in with it and with a recovery code, and has the console remove it. The page of `browser` is
 * signed in, and stays so.
 */
export async function signsInWithASecondFactor(browser: LabBrowser, product: Product): Promise<void> {
  const { page } = browser;
  const { secret, recovery } = await setUp(browser);
  await signOut(page);
  await signIn(page);
  const code = page.getByLabel("Code of the authenticator app");
  await until("the code has the focus", () =>
    page.evaluate<boolean>("document.activeElement.autocomplete === 'one-time-code'"),
  );
  await looksWell(page, "the code of a sign-in");
  // The code that confirmed the app is used up, like each one after it; the server accepts one step early.
  const used = codeOf(secret, Date.now() + STEP_MS);
  await enter(code, `${used.slice(0, 3)} ${used.slice(3)}`);
  await page.getByRole("heading", { level: 1, name: "Now" }).waitFor();
  await signOut(page);
  await signIn(page);
  await enter(code, used);
  await page.getByRole("alert").getByText("Refused.").waitFor();
  await press(page.getByRole("button", { name: "Use a recovery code" }));
  await looksWell(page, "a recovery code for a sign-in");
  await enter(page.getByLabel("Recovery code"), recovery.toUpperCase());
  await page.getByRole("heading", { level: 1, name: "Now" }).waitFor();
  await page.goto(SECURITY);
  await showsWell(page.getByText("9 recovery codes are left."), "an app that is set up");

  const reset = await product.cli(["admin", "reset-2fa"]);
  assert.match(reset.stdout, /^The dashboard's second factor was removed\./);
  await page.getByLabel("Administrator password").waitFor();
  await signIn(page);
  await page.getByRole("heading", { level: 1, name: "System" }).waitFor();
}

async function setUp(browser: LabBrowser): Promise<Readonly<{ secret: string; recovery: string }>> {
  const { page } = browser;
  await page.goto(SECURITY);
  await press(page.getByRole("button", { name: "Set up" }));
  await proveIfAsked(page);
  await page.getByRole("img", { name: /^QR code/ }).waitFor();
  await press(page.getByText("The same as a URI"));
  await looksWell(page, "the secret of an app");
  const secret = await page.locator("code.typed").first().innerText();
  assert.match(secret, /^([A-Z2-7]{4} ){7}[A-Z2-7]{4}$/);
  const first = page.getByLabel("Code that the app shows now");
  await enter(first, "000000");
  await page.getByText(/This is not the app's current code\./).waitFor();
  await enter(first, codeOf(secret, Date.now()));
  const codes = page.locator(".codes li");
  await codes.first().waitFor();
  assert.equal(await codes.count(), 10);
  await looksWell(page, "recovery codes");
  const file = await saved(page.getByRole("button", { name: "Save", exact: true }));
  assert.equal(file.suggestedFilename(), "ghostinbox-recovery-codes.txt");
  const recovery = await codes.first().innerText();
  await press(page.getByRole("button", { name: "I have saved them" }));
  await page.getByText("10 recovery codes are left.").waitFor();
  assert.equal(await page.getByText(recovery).count(), 0);
  return { secret, recovery };
}

/** The sign-in may be more than ten minutes ago. */
async function proveIfAsked(page: Page): Promise<void> {
  const password = page.getByRole("dialog").getByLabel("Administrator password");
  const shown = page.getByRole("img", { name: /^QR code/ });
  await password.or(shown).waitFor();
  if (!(await password.isVisible())) return;
  await enter(password, ADMIN_PASSWORD);
}

async function signOut(page: Page): Promise<void> {
  await press(page.getByRole("button", { name: "Sign out" }));
  await page.getByLabel("Administrator password").waitFor();
}
