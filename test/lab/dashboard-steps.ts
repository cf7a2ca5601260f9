import type { Locator, Page } from "playwright-core";
import { enter, press, signInShown } from "./keyboard.ts";
import { looksWell } from "./looks.ts";
import { ADMIN_PASSWORD } from "./product.ts";

/** As the administrator. */
export async function signIn(page: Page): Promise<void> {
  await signInShown(page);
  await enter(page.getByLabel("Administrator password"), ADMIN_PASSWORD);
}

/** Presses the button of this name, and then the one that confirms it. `where`: the stop in between. */
export async function pressSurely(within: Page | Locator, name: string, where?: string): Promise<void> {
  const button = within.getByRole("button", { name, exact: true });
  await press(button);
  const surely = within.getByRole("button", { name: `${name} for good`, exact: true });
  await surely.waitFor();
  if (where !== undefined) await looksWell(surely.page(), where);
  await press(surely);
}

/** The server's answer once the proof of the sign-in is older than ten minutes. `times`: for this many requests. */
export async function staleProof(page: Page, path: string, times: number): Promise<void> {
  const json = { status: 403, code: "proof_needed", detail: "This needs the password again." };
  await page.route(path, (request) => request.fulfill({ status: 403, json }), { times });
}
