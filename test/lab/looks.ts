import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { Locator, Page } from "playwright-core";
import { PHONE, WIDE } from "./browser.ts";
import { PAGE_CHECKS } from "./page-checks.ts";
import { HAS_NEW_COLOURS } from "./page-colours.ts";

const AXE = readFileSync(new URL(import.meta.resolve("axe-core/axe.min.js")), "utf8");
const CONTRAST = "color-contrast";
const RULES = { all: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], contrast: [CONTRAST] };

export type Look = Readonly<{
  name: string;
  size: typeof WIDE | typeof PHONE;
  colorScheme: "light" | "dark";
  forcedColors: "none" | "active";
  /** The rules of axe to check. */
  rules: keyof typeof RULES | null;
  /** Limits this appearance to pages or pictures. */
  only?: "pages" | "pictures";
}>;

/**
 * Every appearance, with the axe rules that only it can break. The page is the same at each width, and contrast depends only on
 * light or dark. Forced colours are the system's: axe would instead read a button's text colour from the style sheet, which isn't
 * what is drawn. Colours move nothing (dashboard/style.test.ts), so each page is checked once with forced colours, and appearances
 * that combine two others are only for pictures.
 */
export const LOOKS: readonly Look[] = [
  { name: "dark-phone", size: PHONE, colorScheme: "dark", forcedColors: "none", rules: "all" },
  { name: "forced-phone", size: PHONE, colorScheme: "light", forcedColors: "active", rules: null, only: "pages" },
  { name: "forced", size: WIDE, colorScheme: "dark", forcedColors: "active", rules: null, only: "pages" },
  { name: "dark", size: WIDE, colorScheme: "dark", forcedColors: "none", rules: null, only: "pictures" },
  { name: "light", size: WIDE, colorScheme: "light", forcedColors: "none", rules: "contrast" },
];

/**
 * `hasAxe` is false if axe has checked this before, with other text. `isPage`: a page right after it was opened, not a stop of a
 * flow. `isTouched`: on a phone the page gets touch instead of a pointer; afterwards it has neither until it is reloaded.
 */
type Stop = Readonly<{ hasAxe?: boolean; isPage?: boolean; isTouched?: boolean; each?: (look: Look) => Promise<void> }>;

/** Checks the current page in each appearance; leaves it wide and light. `where` names the stop of a flow. */
export async function looksWell(page: Page, where: string, stop: Stop = {}): Promise<void> {
  const { hasAxe = true, isPage = false, isTouched = false, each } = stop;
  // Not if the page has virtual devices, such as a passkey, which the end of this session would remove.
  const devices = isTouched ? await page.context().newCDPSession(page) : null;
  const isWanted = { pages: isPage, pictures: each !== undefined };
  for (const look of LOOKS.filter(({ only }) => only === undefined || isWanted[only])) {
    const { name, size, colorScheme, forcedColors, rules } = look;
    await page.setViewportSize(size);
    await page.emulateMedia({ colorScheme, forcedColors, reducedMotion: "reduce" });
    await devices?.send("Emulation.setTouchEmulationEnabled", { enabled: size === PHONE });
    // A control's position depends only on the width.
    const wrong = await page.evaluate<readonly string[]>(`(${PAGE_CHECKS})(${rules !== null})`);
    const violations = hasAxe ? await violationsOf(page, look) : [];
    assert.deepEqual([...wrong, ...violations], [], `${where}, ${name}`);
    await each?.(look);
  }
  await devices?.detach();
}

/** The same for a stop of a flow, once this is shown. */
export async function showsWell(shown: Locator, where: string): Promise<void> {
  await shown.waitFor();
  await looksWell(shown.page(), where);
}

/** The rules of axe-core that are violated, and where. */
async function violationsOf(page: Page, { rules, colorScheme }: Look): Promise<readonly string[]> {
  if (rules === null) return [];
  const isNew = await page.evaluate<boolean>(`(${HAS_NEW_COLOURS})("${colorScheme}")`);
  if (rules === "contrast" && !isNew) return [];
  const judged = { [CONTRAST]: { enabled: isNew } };
  const options = { runOnly: RULES[rules], rules: judged, resultTypes: ["violations"] };
  const run = `(${AXE_RUN})(${JSON.stringify(options)})`;
  const found = await page.evaluate<readonly string[] | null>(run);
  if (found !== null) return found;
  await page.evaluate(AXE);
  return page.evaluate<readonly string[]>(run);
}

/** Runs in the page; returns null if it has no axe yet. The rest of axe's answer is large. */
const AXE_RUN = `async (options) => {
  if (!("axe" in globalThis)) return null;
  const { violations } = await axe.run(options);
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, any }) => id + ": " + target.join(" ") + " " + (any[0]?.message ?? "")));
}`;
