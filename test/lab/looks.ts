import assert from "node:assert/strict";
import axe, { type AxeResults } from "axe-core";
import type { Page } from "playwright-core";
import { PHONE, WIDE } from "./browser.ts";
import { PAGE_CHECKS } from "./page-checks.ts";

const RULES = {
  all: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
  contrast: ["color-contrast"],
};

export type Look = Readonly<{
  name: string;
  size: typeof WIDE | typeof PHONE;
  colorScheme: "light" | "dark";
  forcedColors: "none" | "active";
  /** What axe looks for. */
  rules: keyof typeof RULES | null;
  /** For pictures alone: where things stand and what contrasts in it, two other looks show. */
  isMixed?: boolean;
}>;

/**
 * Every look, and what axe can find in it that it does not find in another. The page is the same at each width, and what contrasts
 * depends on light or dark alone. Where colours are forced, the system chooses them, and axe takes that of a button's words from the
 * style sheet, which is not what is drawn.
 */
export const LOOKS: readonly Look[] = [
  { name: "dark-phone", size: PHONE, colorScheme: "dark", forcedColors: "none", rules: "all" },
  { name: "forced-phone", size: PHONE, colorScheme: "light", forcedColors: "active", rules: null },
  { name: "forced", size: WIDE, colorScheme: "dark", forcedColors: "active", rules: null },
  { name: "dark", size: WIDE, colorScheme: "dark", forcedColors: "none", rules: null, isMixed: true },
  { name: "light", size: WIDE, colorScheme: "light", forcedColors: "none", rules: "contrast" },
];

/**
 * `hasAxe` false: what is there is known to axe, with other words. `isTouched`: on a phone the page has a finger in place of a pointer,
 * and then neither until it is loaded again.
 */
type Stop = Readonly<{ hasAxe?: boolean; isTouched?: boolean; each?: (look: Look) => Promise<void> }>;

/** Looks at the page as it stands in every look; at the end it is wide and light. `where` tells the stop of a flow. */
export async function looksWell(page: Page, where: string, stop: Stop = {}): Promise<void> {
  const { hasAxe = true, isTouched = false, each } = stop;
  // Not where a page has devices of its own, such as a passkey: the end of this session takes them away.
  const devices = isTouched ? await page.context().newCDPSession(page) : null;
  for (const look of LOOKS.filter(({ isMixed = false }) => !isMixed || each !== undefined)) {
    const { name, size, colorScheme, forcedColors, rules } = look;
    await page.setViewportSize(size);
    await page.emulateMedia({ colorScheme, forcedColors, reducedMotion: "reduce" });
    await devices?.send("Emulation.setTouchEmulationEnabled", { enabled: size === PHONE });
    // Where a control stands depends on the width alone.
    const wrong = await page.evaluate<readonly string[]>(`(${PAGE_CHECKS})(${rules !== null})`);
    const violations = hasAxe && rules !== null ? await violationsOf(page, RULES[rules]) : [];
    assert.deepEqual([...wrong, ...violations], [], `${where}, ${name}`);
    await each?.(look);
  }
  await devices?.detach();
}

/** Rules of axe-core, and places. */
async function violationsOf(page: Page, runOnly: readonly string[]): Promise<readonly string[]> {
  if (!(await page.evaluate<boolean>("'axe' in globalThis"))) await page.evaluate(axe.source);
  const options = JSON.stringify({ runOnly, resultTypes: ["violations"] });
  const { violations } = await page.evaluate<AxeResults>(`axe.run(${options})`);
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, any }) => `${id}: ${target.join(" ")} ${any[0]?.message ?? ""}`),
  );
}
