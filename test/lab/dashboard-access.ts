import assert from "node:assert/strict";
import type { CDPSession, Page } from "playwright-core";
import { STEP_MS } from "../../src/guard/access/one-time-codes.ts";
import { codeOf } from "../kit/totp.ts";
import { type LabBrowser, PAGE } from "./browser.ts";
import { pressSurely, signIn, staleProof } from "./dashboard-steps.ts";
import { choose, enter, hasFocus, press, saved, signInShown, type } from "./keyboard.ts";
import { looksWell, showsWell } from "./looks.ts";
import { ADMIN_PASSWORD, type Product } from "./product.ts";
import { until } from "./wait.ts";

/** Ends sessions and makes tokens on the page System. The page of `browser` stays signed in. */
export async function endsAndMakesAccess(browser: LabBrowser, product: Product): Promise<void> {
  const { page } = browser;
  const other = await browser.elsewhere();
  await other.goto(PAGE);
  await signIn(other);
  await isIn(other);
  await endWithProof(page);
  await other.getByLabel("Administrator password").waitFor();
  await other.getByText("You are signed out.").waitFor();
  await other.context().close();
  await makeUseRevoke(page, product);
}

async function endWithProof(page: Page): Promise<void> {
  await staleProof(page, "**/api/v1/sessions/*", 2);
  await page.goto(`${PAGE}#/system?show=access`);
  const end = page.getByRole("button", { name: /^End the session of .+ at 127\.0\.0\.1$/ });
  await press(end);
  const dialog = page.getByRole("dialog", { name: "Confirm your password" });
  const password = dialog.getByLabel("Administrator password");
  await password.fill("a guess");
  await page.keyboard.press("Enter");
  await showsWell(dialog.getByRole("alert").getByText("The sign-in was refused."), "a refused proof");
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
  await hasFocus(end);
  await page.keyboard.press("Enter");
  await password.fill(ADMIN_PASSWORD);
  await page.keyboard.press("Enter");
  await page.getByText("One session is ended.").waitFor();
  await dialog.waitFor({ state: "hidden" });
  await end.waitFor({ state: "hidden" });
}

async function makeUseRevoke(page: Page, product: Product): Promise<void> {
  await enter(page.getByLabel("Name, such as grafana"), "from the page");
  await page.getByRole("alert").getByText("is not 1 to 64 letters, digits").waitFor();
  await type(page.getByLabel("Name, such as grafana"), "from-the-page");
  await choose(page.getByLabel("Rights"), "only");
  await showsWell(page.getByRole("group"), "the choice of scopes");
  await press(page.getByLabel("Rights"), "Home");
  await page.getByRole("group").waitFor({ state: "detached" });
  await press(page.getByRole("button", { name: "Create a token" }));
  const secret = await page.getByLabel("Token", { exact: true }).inputValue();
  assert.equal(await page.getByLabel("Duration").inputValue(), "90d", "the next one's default");
  await looksWell(page, "a token");
  await page.getByRole("listitem").filter({ hasText: "from-the-page" }).getByText("read").waitFor();
  const status = async (method: "GET" | "POST"): Promise<number> => {
    const body = method === "POST" ? { ip: "198.51.100.93" } : undefined;
    return (await product.api(method, "/api/v1/bans", body, secret)).status;
  };
  assert.deepEqual([await status("GET"), await status("POST")], [200, 403]);
  await press(page.getByRole("button", { name: "I have saved it" }));
  await page.getByLabel("Token", { exact: true }).waitFor({ state: "detached" });
  await pressSurely(page, "Revoke from-the-page", "the question whether to revoke a token");
  await page.getByText("The token from-the-page is revoked.").waitFor();
  await until("the token no longer opens anything", async () => (await status("GET")) === 401);
}

const SECURITY = "#/system?show=security";

/** Signs in with an authenticator app and with a recovery code, and has the console remove them. Stays signed in. */
export async function signsInWithASecondFactor(browser: LabBrowser, product: Product): Promise<void> {
  const { page } = browser;
  const { secret, recovery } = await setUpApp(page);
  await signOut(page);
  await signIn(page);
  const code = page.getByLabel("Code from the authenticator app");
  await until("the code has the focus", () =>
    page.evaluate<boolean>("document.activeElement.autocomplete === 'one-time-code'"),
  );
  await looksWell(page, "the code of a sign-in");
  // Each code works only once, so this takes the next one, which the server accepts one step early.
  const used = codeOf(secret, Date.now() + STEP_MS);
  await enter(code, `${used.slice(0, 3)} ${used.slice(3)}`);
  await isIn(page);
  await signOut(page);
  await signIn(page);
  await enter(code, used);
  await page.getByRole("alert").getByText("Refused.").waitFor();
  await press(page.getByRole("button", { name: "Use a recovery code" }));
  await looksWell(page, "a recovery code for a sign-in");
  await enter(page.getByLabel("Recovery code"), recovery.toUpperCase());
  await isIn(page);
  await page.goto(`${PAGE}${SECURITY}`);
  await showsWell(page.getByText("9 recovery codes are left."), "an app that is set up");

  assert.match((await product.cli(["admin", "reset-2fa"])).stdout, /^The dashboard's second factor was removed\./);
  await page.getByLabel("Administrator password").waitFor();
  await signIn(page);
  await page.getByRole("heading", { level: 1, name: "System" }).waitFor();
}

async function setUpApp(page: Page): Promise<Readonly<{ secret: string; recovery: string }>> {
  await page.goto(`${PAGE}${SECURITY}`);
  await press(page.getByRole("button", { name: "Set up" }));
  // The sign-in may be more than ten minutes ago.
  const password = page.getByRole("dialog").getByLabel("Administrator password");
  const shown = page.getByRole("img", { name: /^QR code/ });
  await password.or(shown).waitFor();
  if (await password.isVisible()) await enter(password, ADMIN_PASSWORD);
  await shown.waitFor();
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

async function signOut(page: Page): Promise<void> {
  await press(page.getByRole("button", { name: "Sign out" }));
  await page.getByLabel("Administrator password").waitFor();
}

/** A name, because browsers have no passkeys for an IP address. */
const BY_NAME = "http://localhost:3000/";
/** It resolves to loopback, and is not a name of the server. */
const FOREIGN = "http://mail.localhost:3000/";
const KEY = { protocol: "ctap2", transport: "internal", automaticPresenceSimulation: true } as const;
const VERIFYING = { hasResidentKey: true, hasUserVerification: true, isUserVerified: true } as const;

/** An owner with a passkey, in a separate window: adds it, signs in and proves with it, removes it. */
export async function usesPasskeys(browser: LabBrowser): Promise<void> {
  const page = await browser.elsewhere();
  const devices = await page.context().newCDPSession(page);
  await devices.send("WebAuthn.enable");
  const { authenticatorId } = await devices.send("WebAuthn.addVirtualAuthenticator", {
    options: { ...KEY, ...VERIFYING },
  });
  await page.goto(BY_NAME);
  await signIn(page);
  await isIn(page);
  await addPasskey(page, devices, authenticatorId);
  const use = page.getByRole("button", { name: "Use a passkey" });
  const usesButton = async (): Promise<void> => {
    // From another page, so that Now belongs to the next sign-in.
    await page.goto(`${BY_NAME}${SECURITY}`);
    await page.reload();
    // Once the page is loaded its heading takes the focus, which it would otherwise take from the button.
    await page.locator("h1:focus").waitFor();
    await signOut(page);
    await signInShown(page);
    await press(use);
  };
  await usesButton();
  await isIn(page);
  await removeWithProof(page);
  await usesButton();
  await showsWell(page.getByRole("alert").getByText("The sign-in was refused."), "a refused passkey");
  await page.goto(FOREIGN);
  await signInShown(page);
  await press(use);
  await page.getByRole("alert").getByText("This server does not answer under this host name").waitFor();
  await page.context().close();
  await browser.page.goto(`${PAGE}${SECURITY}`);
  await browser.page.getByText("Passkeys need a host name").waitFor();
  assert.equal(await browser.page.getByRole("button", { name: "Add a passkey" }).count(), 0);
}

async function isIn(page: Page): Promise<void> {
  await page.getByRole("heading", { level: 1, name: "Now" }).waitFor();
}

async function addPasskey(page: Page, devices: CDPSession, authenticatorId: string): Promise<void> {
  await page.goto(`${BY_NAME}${SECURITY}`);
  const name = page.getByLabel("Name, such as laptop");
  await enter(name, "lab key");
  await page.getByText("The passkey lab key is added.").waitFor();
  await page.getByRole("listitem").filter({ hasText: "lab key" }).getByText("not used yet").waitFor();
  const { credentials } = await devices.send("WebAuthn.getCredentials", { authenticatorId });
  const [made, ...others] = credentials;
  assert.partialDeepStrictEqual(made, { rpId: "localhost", isResidentCredential: true });
  assert.deepEqual(others, []);
  await enter(name, "again");
  await showsWell(page.getByText("This device already has a passkey for this dashboard."), "passkeys");
}

async function removeWithProof(page: Page): Promise<void> {
  await staleProof(page, "**/api/v1/factors/passkeys/*", 1);
  await page.goto(`${BY_NAME}${SECURITY}`);
  await pressSurely(page, "Remove lab key");
  const dialog = page.getByRole("dialog", { name: "Confirm your password" });
  const use = dialog.getByRole("button", { name: "Use a passkey" });
  await showsWell(use, "a proof with a passkey");
  await press(use);
  await page.getByText("The passkey lab key is removed.").waitFor();
  await dialog.waitFor({ state: "hidden" });
  await page.getByText("No passkeys yet.").waitFor();
}
