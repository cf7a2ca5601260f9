import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import axe, { type AxeResults, type RunOptions } from "axe-core";
import { type Browser, chromium, type Page } from "playwright-core";
import type { Host } from "./host.ts";
import type { Lab } from "./lab.ts";

export const WIDE = { width: 1_280, height: 860 } as const;
export const PHONE = { width: 390, height: 844 } as const;
const RULES: RunOptions = {
  runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
  resultTypes: ["violations"],
};
/** As root, Chromium has no sandbox of its own; the namespace has no way out. */
const ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"];
const OPENED_MS = 20_000;
/** What a finger can hit (WCAG 2.2, 2.5.5), in pixels. A link within text and a box whose label can be hit may be smaller. */
const TARGET = 44;
const SMALL_TARGETS = `
  [...document.querySelectorAll("button, .button, select, summary, nav a, .kind, .figure, label:has(> input[type=checkbox]), input:not([type=checkbox], [type=radio])")]
    .filter((one) => one.checkVisibility({ visibilityProperty: true }))
    .map((one) => ({ one, box: one.getBoundingClientRect() }))
    .filter(({ box }) => box.width > 0 && (box.height < ${TARGET} - 0.5 || box.width < ${TARGET} - 0.5))
    .map(({ one, box }) => one.tagName + " " + (one.innerText || one.getAttribute("aria-label")) + " " + box.width + "x" + box.height)`;

/** Debian's Chromium on a host of the lab, and one page of it. */
export class LabBrowser {
  readonly page: Page;
  readonly #browser: Browser;
  /** What a page must never do: errors of scripts, refusals by its policy, dialogs. */
  readonly faults: string[] = [];

  private constructor(browser: Browser, page: Page) {
    this.#browser = browser;
    this.page = page;
    page.on("pageerror", (error) => this.faults.push(`error: ${error.message}`));
    page.on("dialog", (dialog) => {
      this.faults.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on("console", (message) => {
      const text = message.text();
      // Chromium reports each answer that is an error, such as the first one to a reader who has not signed in.
      if (message.type() === "error" && !text.startsWith("Failed to load resource")) this.faults.push(text);
    });
  }

  static async on(host: Host, lab: Lab, language = "en-GB"): Promise<LabBrowser> {
    const program = join(lab.directory, "chromium");
    writeFileSync(program, `#!/bin/sh\nexec ${host.inside(["chromium"]).join(" ")} "$@"\n`);
    chmodSync(program, 0o755);
    const browser = await chromium.launch({ executablePath: program, args: ARGUMENTS, timeout: OPENED_MS });
    const context = await browser.newContext({ viewport: WIDE, locale: language, reducedMotion: "reduce" });
    context.setDefaultTimeout(OPENED_MS);
    return new LabBrowser(browser, await context.newPage());
  }

  /** A page of another browser, as far as the server can tell: it shares no cookie with the first. */
  async elsewhere(): Promise<Page> {
    const context = await this.#browser.newContext({ viewport: WIDE, locale: "en-GB", reducedMotion: "reduce" });
    context.setDefaultTimeout(OPENED_MS);
    return context.newPage();
  }

  async close(): Promise<void> {
    await this.#browser.close();
  }

  /** What axe-core finds against WCAG 2.2 AA: rules and places. */
  async violations(): Promise<readonly string[]> {
    if (!(await this.page.evaluate<boolean>("'axe' in globalThis"))) await this.page.evaluate(axe.source);
    const { violations } = await this.page.evaluate<AxeResults>(`axe.run(${JSON.stringify(RULES)})`);
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ target, any }) => `${id}: ${target.join(" ")} ${any[0]?.message ?? ""}`),
    );
  }

  /** By how many pixels the page is wider than the window. */
  async overflow(): Promise<number> {
    return this.page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");
  }

  /** What is to be clicked and cannot be hit well: its text and its size. */
  async smallTargets(): Promise<readonly string[]> {
    return this.page.evaluate<readonly string[]>(SMALL_TARGETS);
  }

  async nodes(): Promise<number> {
    return this.page.evaluate<number>("document.querySelectorAll('*').length");
  }
}
