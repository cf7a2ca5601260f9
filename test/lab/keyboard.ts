import assert from "node:assert/strict";
import type { Locator, Page } from "playwright-core";
import { until } from "./wait.ts";

/** So often the way is counted again: a field for a date has several stops, and a page may change meanwhile. */
const MOST_COUNTS = 12;

/**
 * How many presses of the Tab key lead from what has the focus to an element; negative: backwards. Where no control has the focus,
 * the way may be another, since the browser goes on from where the last one was: then it is counted again.
 */
const STEPS = `globalThis.stepsTo ??= (wanted) => {
  const modal = document.querySelector(":modal");
  const focused = document.activeElement;
  const stops = [...document.querySelectorAll("a[href], button, summary, input, select, textarea, [tabindex='0']")].filter(
    (one) =>
      one.checkVisibility({ visibilityProperty: true }) && !one.disabled && one.tabIndex >= 0 &&
      one.closest("[inert]") === null && (modal === null || modal.contains(one)));
  const to = stops.indexOf(wanted);
  const from = stops.indexOf(focused);
  if (from >= 0 || wanted === focused) return to - from;
  const before = stops.filter((one) => focused.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_PRECEDING).length;
  return to >= before ? to - before + 1 : to - before;
}; 0`;

/** A form takes the focus a moment after it is shown, and would take it from what the keyboard has reached meanwhile. */
export async function signInShown(page: Page): Promise<void> {
  await page.locator(".sign-in input:focus").waitFor();
}

/** Moves the focus to `target` by the Tab key alone. */
export async function reach(target: Locator): Promise<void> {
  const page = target.page();
  for (let count = 0; count < MOST_COUNTS; count += 1) {
    await page.evaluate(STEPS);
    const steps = await target.evaluate((one) => {
      const stepsTo: unknown = Reflect.get(globalThis, "stepsTo");
      return typeof stepsTo === "function" ? Number(Reflect.apply(stepsTo, undefined, [one])) : Number.NaN;
    });
    if (steps === 0) return;
    const key = steps > 0 ? "Tab" : "Shift+Tab";
    for (let press = 0; press < Math.abs(steps); press += 1) await page.keyboard.press(key);
  }
  assert.fail(`the Tab key does not get to ${target.toString()}`);
}

/** Once it can be pressed. */
export async function press(target: Locator, key = "Enter"): Promise<void> {
  await reach(target);
  await until("it can be pressed", () => target.isEnabled());
  await reach(target);
  await target.page().keyboard.press(key);
}

/** In place of what a field holds. */
export async function type(target: Locator, text: string): Promise<void> {
  await reach(target);
  const { keyboard } = target.page();
  await keyboard.press("Control+A");
  if (text === "") await keyboard.press("Delete");
  else await keyboard.insertText(text);
}

/** The first option that begins with it. */
export async function choose(target: Locator, option: string): Promise<void> {
  await reach(target);
  await target.page().keyboard.type(option);
}
