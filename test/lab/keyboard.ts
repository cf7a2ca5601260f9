import assert from "node:assert/strict";
import type { Download, Locator, Page } from "playwright-core";
import { until } from "./wait.ts";

/** How often the path is counted again, because a date field has several stops, and the page may change in between. */
const MOST_COUNTS = 12;

/**
 * For each page as it loads. `stepsTo`: how many presses of the Tab key lead from the focused element to another; negative means
 * backwards. Without a focused control the browser continues from the last one, so the path may differ and is counted again.
 * `stepsLeft`: steps to the same element; null if it is gone. `canPress`: whether it has the focus and can be pressed.
 */
export const STEPS = `{
let last = null;
globalThis.stepsTo = (wanted) => {
  last = wanted;
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
};
globalThis.stepsLeft = () => (last?.isConnected ? stepsTo(last) : null);
globalThis.canPress = (wanted) =>
  stepsTo(wanted) === 0 && !wanted.matches(":disabled") && wanted.closest("[aria-disabled=true]") === null;
}`;

/** Waits for the form to take the focus. That happens shortly after it is shown, and could take it from a control that was reached. */
export async function signInShown(page: Page): Promise<void> {
  await page.locator(".sign-in input:focus").waitFor();
}

/** Moves the focus to `target` with only the Tab key. */
export async function reach(target: Locator): Promise<void> {
  const page = target.page();
  let steps: number | null = null;
  for (let count = 0; count < MOST_COUNTS; count += 1) {
    // Asking a found element is ten times faster than finding it by role and name.
    steps ??= Number(await answerOf("stepsTo", target));
    if (steps === 0) return;
    const key = steps > 0 ? "Tab" : "Shift+Tab";
    for (let press = 0; press < Math.abs(steps); press += 1) await page.keyboard.press(key);
    steps = await page.evaluate<number | null>("stepsLeft()");
  }
  assert.fail(`the Tab key does not reach ${target.toString()}`);
}

export async function hasFocus(target: Locator): Promise<void> {
  await target.and(target.page().locator(":focus")).waitFor();
}

/** Presses a key on `target` once it can be pressed. */
export async function press(target: Locator, key = "Enter"): Promise<void> {
  await reach(target);
  if ((await answerOf("canPress", target)) !== true) {
    await until("it can be pressed", () => target.isEnabled());
    await reach(target);
  }
  await target.page().keyboard.press(key);
}

/** The result of a function of STEPS. */
async function answerOf(name: "stepsTo" | "canPress", target: Locator): Promise<unknown> {
  return target.evaluate((one, name) => {
    const step: unknown = Reflect.get(globalThis, name);
    const answer: unknown = typeof step === "function" ? Reflect.apply(step, undefined, [one]) : undefined;
    return answer;
  }, name);
}

/** Replaces the content of a field. */
export async function type(target: Locator, text: string): Promise<void> {
  await reach(target);
  const { keyboard } = target.page();
  await keyboard.press("Control+A");
  if (text === "") await keyboard.press("Delete");
  else await keyboard.insertText(text);
}

/** The same, and sends its form. */
export async function enter(target: Locator, text: string): Promise<void> {
  await type(target, text);
  await target.page().keyboard.press("Enter");
}

/** Presses a control that saves a file. */
export async function saved(target: Locator): Promise<Download> {
  const [download] = await Promise.all([target.page().waitForEvent("download"), press(target)]);
  return download;
}

/** Chooses the first option that starts with it. */
export async function choose(target: Locator, option: string): Promise<void> {
  await reach(target);
  await target.page().keyboard.type(option);
}
