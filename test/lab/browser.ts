import { writeFileSync } from "node:fs";
import { chromium, type Page } from "playwright-core";
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

export type LabBrowser = Awaited<ReturnType<typeof openBrowser>>;

/** Debian's Chromium on a host of the lab, and one page of it. */
export async function openBrowser(host: Host, lab: Lab, more: readonly string[] = []) {
  const executablePath = lab.path("chromium");
  const script = `#!/bin/sh\nexec ${host.inside(["chromium"]).join(" ")} "$@"\n`;
  writeFileSync(executablePath, script, { mode: 0o755 });
  const timeout = patience(OPENED_MS);
  const browser = await chromium.launch({ executablePath, args: [...ARGUMENTS, ...more], timeout });
  /** What a page must never cause: script errors, refusals by its content security policy, dialogs. */
  const faults: string[] = [];
  const open = async (): Promise<Page> => {
    const context = await browser.newContext({ viewport: WIDE, locale: "en-GB", reducedMotion: "reduce" });
    context.setDefaultTimeout(timeout);
    await context.addInitScript(STEPS);
    const opened = await context.newPage();
    opened.on("pageerror", (error) => faults.push(`error: ${error.message}`));
    opened.on("dialog", (dialog) => {
      faults.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    opened.on("console", (message) => {
      const text = message.text();
      // Chromium logs every error response, including the expected one before the sign-in.
      if (message.type() === "error" && !text.startsWith("Failed to load resource")) faults.push(text);
    });
    return opened;
  };
  const page = await open();
  return {
    page,
    faults,
    /** A page that looks like another browser to the server: it shares no cookie with the first. */
    elsewhere: open,
    close: () => browser.close(),
    nodes: () => page.evaluate<number>("document.querySelectorAll('*').length"),
  };
}
