import assert from "node:assert/strict";
import { readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type LabBrowser, PAGE } from "./browser.ts";
import { signIn } from "./dashboard-steps.ts";
import { signInShown } from "./keyboard.ts";
import { looksWell } from "./looks.ts";
import type { Product } from "./product.ts";
import { until } from "./wait.ts";

const RELOADED = "The server has a new version, so the page was reloaded.";

/** The server is upgraded while the page is open: the page reloads when it lacks a part, and says why. */
export async function staysAfterAnUpgrade(browser: LabBrowser, product: Product): Promise<void> {
  // The first browser has every part of the page, and keeps it.
  const page = await browser.elsewhere();
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  const heading = (name: string) => page.getByRole("heading", { level: 1, name }).waitFor();
  await page.goto(PAGE);
  await signInShown(page);
  assert.deepEqual([askedFor(asked, "app"), askedFor(asked, "now")], [1, 0], "what the sign-in needs");
  await signIn(page);
  await heading("Now");
  assert.deepEqual([askedFor(asked, "now"), askedFor(asked, "further"), askedFor(asked, "me")], [1, 0, 0]);
  await upgrade(product);
  const answers = "fetch('healthz/live').then(({ ok }) => ok, () => false)";
  await until("the server answers again", () => page.evaluate<boolean>(answers));
  await page.getByRole("link", { name: "Bans", exact: true }).click();
  await page.getByText(RELOADED).waitFor();
  await heading("Bans");
  await looksWell(page, "a page that was loaded again");
  assert.deepEqual([askedFor(asked, "app"), askedFor(asked, "further")], [2, 2]);
  await page.reload();
  await heading("Bans");
  assert.equal(await page.getByText(RELOADED).count(), 0);
  await page.context().close();
}

/** How many of the page's programs with this name were requested. */
function askedFor(asked: readonly string[], name: string): number {
  return asked.filter((url) => new RegExp(`/programs/${name}-[A-Z0-9_]{8}\\.js$`).test(url)).length;
}

/** Renames every program of the page, as if each had changed. */
async function upgrade(product: Product): Promise<void> {
  const page = join(product.layout.program, "dashboard");
  const programs = join(page, "programs");
  const names = readdirSync(programs).map((name) => [name, name.replace(/[A-Z0-9](?=\.js$)/, "_")] as const);
  const files = [join(page, "index.html"), ...names.map(([name]) => join(programs, name))];
  for (const file of files) {
    const text = names.reduce((all, [from, to]) => all.replaceAll(from, to), readFileSync(file, "utf8"));
    writeFileSync(file, text);
  }
  for (const [from, to] of names) renameSync(join(programs, from), join(programs, to));
  await product.sv("restart", "web");
}
