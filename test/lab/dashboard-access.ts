import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { type LabBrowser, PAGE } from "./browser.ts";
import { pressSurely, signIn, staleProof } from "./dashboard-steps.ts";
import { choose, hasFocus, press, type } from "./keyboard.ts";
import { looksWell, showsWell } from "./looks.ts";
import { ADMIN_PASSWORD, type Product } from "./product.ts";
import { until } from "./wait.ts";

const ACCESS = `${PAGE}#/system?show=access`;

/** Ends sessions and makes tokens on the page System. The page of `browser` is signed in, and stays so. */
export async function endsAndMakesAccess(browser: LabBrowser, product: Product): Promise<void> {
  const { page } = browser;
  const other = await browser.elsewhere();
  await other.goto(PAGE);
  await signIn(other);
  await other.getByRole("heading", { level: 1, name: "Now" }).waitFor();
  await endWithProof(page);
  await other.getByLabel("Administrator password").waitFor();
  await other.getByText("You are signed out.").waitFor();
  await other.context().close();
  await makeUseRevoke(page, product);
}

async function endWithProof(page: Page): Promise<void> {
  await staleProof(page, "**/api/v1/sessions/*", 2);
  await page.goto(ACCESS);
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
  await type(page.getByLabel("Name, such as grafana"), "from-the-page");
  await choose(page.getByLabel("Rights"), "only");
  await showsWell(page.getByRole("group"), "the choice of scopes");
  await press(page.getByLabel("Rights"), "Home");
  await page.getByRole("group").waitFor({ state: "detached" });
  await press(page.getByRole("button", { name: "Create a token" }));
  const secret = await page.getByLabel("Token", { exact: true }).inputValue();
  await looksWell(page, "a token");
  await page.getByRole("listitem").filter({ hasText: "from-the-page" }).getByText("read").waitFor();
  const status = async (method: "GET" | "POST"): Promise<number> => {
    const body = method === "POST" ? { ip: "198.51.100.93" } : undefined;
    return (await product.api(method, "/api/v1/bans", body, secret)).code;
  };
  assert.deepEqual([await status("GET"), await status("POST")], [200, 403]);
  await press(page.getByRole("button", { name: "I have saved it" }));
  await page.getByLabel("Token", { exact: true }).waitFor({ state: "detached" });
  await pressSurely(page, "Revoke from-the-page", "a question whether a token shall be revoked");
  await page.getByText("The token from-the-page is revoked.").waitFor();
  await until("the token opens nothing any more", async () => (await status("GET")) === 401);
}

/** The page of a reader who may only read. No session has that role, so its answer is made here. */
export async function offersAViewerNothing({ page }: LabBrowser): Promise<void> {
  const json = { name: "admin", role: "viewer", scopes: ["read"], freshUntil: null };
  await page.route("**/api/v1/session", (request) => request.fulfill({ json }));
  await page.reload();
  // Each is recognized by a text that the page before lacks.
  for (const [place, known] of [
    ["bans?ban=198.51.100.99", "in force"],
    ["bans?show=allowed", "on the allow list"],
    ["mail", "Refresh"],
    ["mail?show=greylist", "Someone is waiting for a code"],
    ["mail?show=spam", "Senders who are never spam"],
    ["bans", "in force"],
    ["find?q=198.51.100.91", "Offences in memory"],
    ["accounts", "this session lacks the scope admin"],
    ["system?show=access", "viewer: sees all, changes nothing"],
  ] as const) {
    await page.goto(`${PAGE}#/${place}`);
    await page.getByText(known).first().waitFor();
    // The other pages are the owner's with less on them.
    if (place === "accounts") await looksWell(page, "accounts for a viewer");
    const offered = page.locator("main").getByRole("button").or(page.locator("main a.button"));
    const names = await offered.allInnerTexts();
    assert.deepEqual(
      names.filter((name) => !HARMLESS.test(name)),
      [],
      place,
    );
  }
  await page.unroute("**/api/v1/session");
  await page.reload();
  await page.getByRole("link", { name: "Access" }).waitFor();
}

/** These only show something else. */
const HARMLESS = /^(Search|Find|Show events|Show more|First page|Next page|Refresh|Clear|)$/;
