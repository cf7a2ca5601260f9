import assert from "node:assert/strict";
import type { CDPSession, Page } from "playwright-core";
import { MINUTE_MS } from "../../src/core/time.ts";
import { patience } from "../kit/patience.ts";
import type { LabBrowser } from "./browser.ts";
import { pressSurely, signIn, staleProof } from "./dashboard-steps.ts";
import { enter, press, reach, signInShown, type } from "./keyboard.ts";
import { looksWell } from "./looks.ts";
import { until } from "./wait.ts";

/** A name: browsers know no passkeys for an IP address. */
const PAGE = "http://localhost:3000/";
const SECURITY = "#/system?show=security";
/** It resolves to loopback, and is not a name of the server. */
const FOREIGN = "http://mail.localhost:3000/";
const KEY = { protocol: "ctap2", transport: "internal", automaticPresenceSimulation: true } as const;
const VERIFYING = { hasResidentKey: true, hasUserVerification: true, isUserVerified: true } as const;

const GUARD_DOWN = { status: 503, code: "guard_down", detail: "The guard does not answer." };

/** Ends each offer of the page. */
const NOTE_OFFERS = `
  globalThis.offers = [];
  const get = navigator.credentials.get.bind(navigator.credentials);
  navigator.credentials.get = (asked) => {
    if (asked.mediation === "conditional") offers.push(asked.signal);
    return get(asked);
  };`;

/** An owner with a passkey, in a separate window: adds it, signs in with it in two ways, proves with it, removes it. */
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
  const atHand = (enabled: boolean) =>
    devices.send("WebAuthn.setAutomaticPresenceSimulation", { authenticatorId, enabled });
  await page.addInitScript(NOTE_OFFERS);
  // The owner accepts the browser's offer at the password field, at once, and again after a moment without the guard.
  await page.route("**/api/v1/login", (request) => request.fulfill({ status: 503, json: GUARD_DOWN }), { times: 1 });
  await signOut(page);
  await isIn(page, patience(OFFERED_AGAIN_MS));
  assert.ok([2, 3].includes(await page.evaluate<number>("offers.length")), "a third if a busy guard answered late");
  const use = page.getByRole("button", { name: "Use a passkey" });
  const usesButton = async (): Promise<void> => {
    await atHand(false);
    await signOut(page);
    await signInShown(page);
    await offered(page);
    await offersNoneToMailbox(page);
    await reach(use);
    await atHand(true);
    await page.keyboard.press("Enter");
  };
  await usesButton();
  await isIn(page);
  assert.ok(await page.evaluate<boolean>("offers.every(({ aborted }) => aborted)"), "the button ends the offer");
  await removeWithProof(page);
  await usesButton();
  await page.getByRole("alert").getByText("The sign-in was refused.").waitFor();
  await looksWell(page, "a refused passkey");
  await page.goto(FOREIGN);
  await signInShown(page);
  await press(use);
  await page.getByRole("alert").getByText("This server does not go by the name").waitFor();
  await page.context().close();
  await browser.page.goto(`http://127.0.0.1:3000/${SECURITY}`);
  await browser.page.getByText("Passkeys need a host name").waitFor();
  assert.equal(await browser.page.getByRole("button", { name: "Add a passkey" }).count(), 0);
}

/** Passkeys are the administrator's: while the form has the name of a mailbox, the browser has nothing to offer. */
async function offersNoneToMailbox(page: Page): Promise<void> {
  const name = page.getByLabel("Your mail address");
  const fields = () => page.locator("form input[autocomplete~=webauthn]").count();
  assert.equal(await fields(), 2);
  await type(name, "anna@example.test");
  await until("none is offered", async () => !(await isOffered(page)));
  assert.equal(await fields(), 0);
  await type(name, "");
  await offered(page);
  assert.equal(await fields(), 2);
}

function isOffered(page: Page): Promise<boolean> {
  return page.evaluate<boolean>("offers.at(-1)?.aborted === false");
}

/** A challenge that a busy server did not give is requested again after 90 s (dashboard/passkey.ts). */
const OFFERED_AGAIN_MS = 2 * MINUTE_MS;

async function offered(page: Page): Promise<void> {
  await until("a passkey is offered", () => isOffered(page), OFFERED_AGAIN_MS);
}

/** From another page, so that Now belongs to the next sign-in, and no earlier offer is recorded. */
async function signOut(page: Page): Promise<void> {
  await page.goto(`${PAGE}${SECURITY}`);
  await page.reload();
  // Its heading takes the focus once the page is loaded, and would take it from the button.
  await page.locator("h1:focus").waitFor();
  await press(page.getByRole("button", { name: "Sign out" }));
}

async function isIn(page: Page, timeout?: number): Promise<void> {
  await page.getByRole("heading", { level: 1, name: "Now" }).waitFor(timeout === undefined ? {} : { timeout });
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
  await page.getByText("This device already has a passkey for this dashboard.").waitFor();
  await looksWell(page, "passkeys");
}

async function removeWithProof(page: Page): Promise<void> {
  await staleProof(page, "**/api/v1/factors/passkeys/*", 1);
  await page.goto(`${PAGE}${SECURITY}`);
  await pressSurely(page, "Remove lab key");
  const dialog = page.getByRole("dialog", { name: "Confirm your password" });
  const use = dialog.getByRole("button", { name: "Use a passkey" });
  await use.waitFor();
  await looksWell(page, "a proof with a passkey");
  await press(use);
  await page.getByText("The passkey lab key is removed.").waitFor();
  await dialog.waitFor({ state: "hidden" });
  await page.getByText("No passkeys yet.").waitFor();
}
