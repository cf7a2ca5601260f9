import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { patience } from "../kit/patience.ts";
import type { Host } from "./host.ts";
import { STEPS } from "./keyboard.ts";
import type { Lab } from "./lab.ts";

/** The dashboard, in a browser on the server. */
export const PAGE = "http://127.0.0.1:3000/";
export const WIDE = { width: 1_280, height: 860 } as const;
export const PHONE = { width: 390, height: 844 } as const;
/** As root, Chromium has no sandbox; the namespace cannot reach the internet. */
const ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"];
const OPENED_MS = 20_000;

/** Debian's Chromium on a host of the lab, and one page of it. */
export class LabBrowser {
  readonly page: Page;
  readonly #browser: Browser;
  /** What a page must never do: errors of scripts, refusals by its policy, dialogs. */
  readonly faults: string[] = [];

  private constructor(browser: Browser, page: Page) {
    this.#browser = browser;
    this.page = page;
    this.#watch(page);
  }

  #watch(page: Page): void {
    page.on("pageerror", (error) => this.faults.push(`error: ${error.message}`));
    page.on("dialog", (dialog) => {
      this.faults.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on("console", (message) => {
      const text = message.text();
      // Chromium reports every error response, such as the first one before the sign-in.
      if (message.type() === "error" && !text.startsWith("Failed to load resource")) this.faults.push(text);
    });
  }

  static async on(host: Host, lab: Lab, language = "en-GB", more: readonly string[] = []): Promise<LabBrowser> {
    const program = join(lab.directory, "chromium");
    writeFileSync(program, `#!/bin/sh\nexec ${host.inside(["chromium"]).join(" ")} "$@"\n`);
    chmodSync(program, 0o755);
    const browser = await chromium.launch({
      executablePath: program,
      args: [...ARGUMENTS, ...more],
      timeout: patience(OPENED_MS),
    });
    return new LabBrowser(browser, await (await contextOf(browser, language)).newPage());
  }

  /** A page that looks like another browser to the server: it shares no cookie with the first. */
  async elsewhere(): Promise<Page> {
    const page = await (await contextOf(this.#browser, "en-GB")).newPage();
    this.#watch(page);
    return page;
  }

  async close(): Promise<void> {
    await this.#browser.close();
  }

  async nodes(): Promise<number> {
    return this.page.evaluate<number>("document.querySelectorAll('*').length");
  }
}

async function contextOf(browser: Browser, language: string): Promise<BrowserContext> {
  const context = await browser.newContext({ viewport: WIDE, locale: language, reducedMotion: "reduce" });
  context.setDefaultTimeout(patience(OPENED_MS));
  await context.addInitScript(STEPS);
  return context;
}
