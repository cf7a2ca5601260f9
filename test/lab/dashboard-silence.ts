import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { patience } from "../kit/patience.ts";
import { type LabBrowser, PAGE } from "./browser.ts";
import { whileStopped } from "./commands.ts";
import { signIn } from "./dashboard-steps.ts";
import { press } from "./keyboard.ts";
import { looksWell, showsWell } from "./looks.ts";
import type { Product } from "./product.ts";
import { until } from "./wait.ts";
import { namedEvents } from "./web-client.ts";

const SHOWN_MS = patience(10_000);
const BANNED = ["198.51.100.110", "198.51.100.111", "198.51.100.112"] as const;

/** The keeper checks every few seconds. */
const NOTICED_MS = patience(60_000);

/** Stops the guard, then the web, then a part that mail doesn't need. Lets each continue afterwards. */
export async function saysWhatStandsStill({ page }: LabBrowser, product: Product): Promise<void> {
  await goTo(page, "now", "Now");
  await showsFail2ban(page, product);
  const [guard, keeper] = [pidOf(product, /guard\.js/), pidOf(product, /keeper\.js/)];
  // The keeper would kill a guard that does not answer.
  await whileStopped([keeper, guard], async () => {
    await page.getByText("The guard does not answer").waitFor({ timeout: SHOWN_MS });
    await looksWell(page, "a guard that is stopped", { hasAxe: false });
  });
  await page.getByText("Mail flows.").first().waitFor();
  await whileStopped([pidOf(product, /web\.js/)], async () => {
    await isSilent(page);
    await looksWell(page, "a server that is silent");
  });
  await isLive(page);
  await tellsWhatToDo(page, product);
}

async function showsFail2ban(page: Page, product: Product): Promise<void> {
  const row = page.getByRole("listitem").filter({ hasText: /^fail2ban/i });
  await row.getByText("OK").waitFor();
  await product.sv("down", "fail2ban");
  await row.getByText("down").waitFor({ timeout: NOTICED_MS });
  await product.sv("up", "fail2ban");
  await row.getByText("OK").waitFor({ timeout: NOTICED_MS });
}

async function tellsWhatToDo(page: Page, product: Product): Promise<void> {
  // This process writes the log lines of Dovecot's other processes, which wait in a pipe while it is stopped.
  const writer = pidOf(product, /dovecot\S*\/log$/);
  const notice = page.getByRole("listitem").filter({ hasText: "was stopped by a signal" });
  await whileStopped([writer], async () => {
    await notice.waitFor({ timeout: NOTICED_MS });
    await looksWell(page, "what is to be done");
    await press(notice.getByRole("link", { name: "See the system" }));
    await page.getByRole("heading", { level: 1, name: "System" }).waitFor();
    await showsWell(page.getByText(`kill -CONT ${writer}`), "a notice with its command");
    // Now, while there is an alert to list.
    await goTo(page, "system?show=alerts", "System");
    await press(page.getByRole("button", { name: "Send a test" }));
    await showsWell(page.getByText("accepted the test").first(), "the result of a test of the alerts");
  });
  await goTo(page, "now", "Now");
  await notice.waitFor({ state: "hidden", timeout: NOTICED_MS });
}

/** Kills the web and starts it again later. The page reconnects and misses no event. */
export async function livesThroughAKill({ page }: LabBrowser, product: Product): Promise<void> {
  const network = await page.context().newCDPSession(page);
  const ids: string[] = [];
  network.on("Network.eventSourceMessageReceived", ({ eventName, data }) => {
    for (const { name, data: said } of namedEvents(`event: ${eventName}\ndata: ${data}\n\n`))
      if (name === "events" && Array.isArray(said["items"])) ids.push(...said["items"].map(({ id }) => String(id)));
  });
  await network.send("Network.enable");
  await goTo(page, "events", "Events");
  await product.json(["ban", BANNED[0]]);
  await isShown(page, BANNED[0]);
  const other = await page.context().newPage();
  await knowsNoSessionYet(other);
  // Without this runsv would restart it immediately.
  await product.sv("once", "web");
  await product.kill(/web\.js/);
  try {
    await product.json(["ban", BANNED[1]]);
    await isSilent(page);
    await loadsNothing(page, other);
    await product.json(["ban", BANNED[2]]);
  } finally {
    await product.sv("up", "web");
  }
  await isLive(page);
  await press(other.getByRole("button", { name: "Try again" }));
  await other.getByRole("list", { name: "List of accounts" }).getByRole("link").first().waitFor();
  await other.close();
  for (const one of BANNED) await isShown(page, one);
  assert.equal(await page.getByLabel("Administrator password").count(), 0);
  const [[last = ""] = []] = await product.sqlite("SELECT max(id) FROM event");
  await until("the stream has the last of them", () => ids.includes(last));
  const kept = await product.sqlite(`SELECT id FROM event WHERE id BETWEEN ${ids[0]} AND ${last} ORDER BY id`);
  assert.deepEqual(ids.slice(0, ids.indexOf(last) + 1), kept.flat());
  await network.detach();
}

/** A page opened while the server cannot check its session waits until it can. */
async function knowsNoSessionYet(page: Page): Promise<void> {
  await page.route("**/api/v1/session", (request) => request.abort());
  await page.goto(PAGE);
  const silent = page.getByText("The server cannot be reached. The page retries every three seconds.");
  await showsWell(silent, "a session that is not known yet");
  await page.unroute("**/api/v1/session");
  await page.getByRole("heading", { level: 1, name: "Now" }).waitFor();
}

/** Without a server: actions are refused, and pages that were not loaded before cannot be shown. */
async function loadsNothing(page: Page, other: Page): Promise<void> {
  await press(page.getByRole("button", { name: "Export CSV" }));
  await showsWell(page.getByText("The server cannot be reached."), "something that was not done");
  await goTo(other, "accounts", "Accounts");
  const failure = other.getByRole("alert").getByText("The server cannot be reached.");
  await showsWell(failure, "a list that could not be loaded");
}

function pidOf(product: Product, program: RegExp): number {
  return product.pidsOf(program)[0] ?? assert.fail(`${program} does not run`);
}

async function goTo(page: Page, place: string, heading: string): Promise<void> {
  await page.goto(`${PAGE}#/${place}`);
  await page.getByRole("heading", { level: 1, name: heading, exact: true }).waitFor();
}

/** The page says so after ten seconds, or later on a busy machine. */
async function isSilent(page: Page): Promise<void> {
  await page.getByText(/not live since \d\d:\d\d$/).waitFor({ timeout: 1.5 * SHOWN_MS });
}

async function isLive(page: Page): Promise<void> {
  await until("the page is live again", async () => {
    assert.equal(await page.locator(".live").innerText(), "● live");
    return true;
  });
}

async function isShown(page: Page, address: string): Promise<void> {
  await page.getByRole("listitem").filter({ hasText: address }).first().waitFor();
}

/** No stream reaches this separate window, as behind a proxy that buffers. */
export async function showsTheStateWithoutAStream(browser: LabBrowser): Promise<void> {
  const page = await browser.elsewhere();
  await page.route("**/api/v1/stream*", (request) => request.abort());
  await page.goto(PAGE);
  await signIn(page);
  await page.getByRole("heading", { level: 1, name: "Now" }).waitFor();
  await goTo(page, "system", "System");
  await page.getByRole("region", { name: "Components" }).getByRole("listitem").first().waitFor();
  assert.doesNotMatch(await page.locator(".live").innerText(), /● live/);
  await page.context().close();
}
