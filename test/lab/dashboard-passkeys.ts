import assert from "node:assert/strict";
import type { CDPSession, Page } from "playwright-core";
import type { LabBrowser } from "./browser.ts";
import { pressSurely, signIn, staleProof } from "./dashboard-steps.ts";
import { enter, press, signInShown } from "./keyboard.ts";
import { showsWell } from "./looks.ts";

/** A name: browsers know no passkeys for an IP address. */
const PAGE = "http://localhost:3000/";
const SECURITY = "#/system?show=security";
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
  await page.goto(PAGE);
  await signIn(page);
  await isIn(page);
  await add(page, devices, authenticatorId);
  const use = page.getByRole("button", { name: "Use a passkey" });
  const usesButton = async (): Promise<void> => {
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
  await page.getByRole("alert").getByText("This server does not go by the name").waitFor();
  await page.context().close();
  await browser.page.goto(`http://127.0.0.1:3000/${SECURITY}`);
  await browser.page.getByText("Passkeys need a host name").waitFor();
  assert.equal(await browser.page.getByRole("button", { name: "Add a passkey" }).count(), 0);
}

/** From another page, so that Now belongs to the next sign-in. */
async function signOut(page: Page): Promise<void> {
  await page.goto(`${PAGE}${SECURITY}`);
  await page.reload();
  // Its heading takes the focus once the page is loaded, and would take it from the button.
  await page.locator("h1:focus").waitFor();
  await press(page.getByRole("button", { name: "Sign out" }));
}

async function isIn(page: Page): Promise<void> {
  await page.getByRole("heading", { level: 1, name: "Now" }).waitFor();
}

async function add(page: Page, devices: CDPSession, authenticatorId: string): Promise<void> {
  await page.goto(`${PAGE}${SECURITY}`);
  const name = page.getByLabel("Name, such as laptop");
  await enter(name, "lab key");
  await page.getByText("The passkey lab key is added.").waitFor();
  await page.getByRole("listitem").filter({ hasText: "lab key" }).getByText("not used yet").waitFor();
  const { credentials } = await devices.send("WebAuthn.getCredentials", { authenticatorId });
  assert.deepEqual(
    credentials.map(({ rpId, isResidentCredential }) => [rpId, isResidentCredential]),
    [["localhost", true]],
  );
  await enter(name, "again");
  await showsWell(page.getByText("This device already has a passkey for this dashboard."), "passkeys");
}

async function removeWithProof(page: Page): Promise<void> {
  await staleProof(page, "**/api/v1/factors/passkeys/*", 1);
  await page.goto(`${PAGE}${SECURITY}`);
  await pressSurely(page, "Remove lab key");
  const dialog = page.getByRole("dialog", { name: "Confirm your password" });
  const use = dialog.getByRole("button", { name: "Use a passkey" });
  await showsWell(use, "a proof with a passkey");
  await press(use);
  await page.getByText("The passkey lab key is removed.").waitFor();
  await dialog.waitFor({ state: "hidden" });
  await page.getByText("No passkeys yet.").waitFor();
}
