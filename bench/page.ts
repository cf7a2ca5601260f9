import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import type { Page } from "playwright-core";
import { LabBrowser } from "../test/lab/browser.ts";
import { signInShown } from "../test/lab/keyboard.ts";
import type { Bench } from "./part.ts";
import { requestOf, writeDigits } from "./policy-request.ts";
import { median, type Row, within } from "./result.ts";

/** The administrator's page is measured. */
export const PASSWORD = "a long phrase for the bench";

const PAGE = "http://127.0.0.1:3000/";
const SIGN_INS = 5;
const MOST_SIGN_IN_MS = 1_000;
const [ARRIVING, ARRIVING_MS] = [500, 5_000];
const MOST_TASK_MS = 100;
/** Browsers report no shorter ones (W3C, Long Tasks API). */
const LONG_TASK_MS = 50;
/** Each shows arrivals in a different way. */
const PLACES = [
  ["now", "Now"],
  ["events", "Events"],
  ["bans", "Bans"],
] as const;
const TASKS = `
  globalThis.longTasks = [];
  new PerformanceObserver((list) => longTasks.push(...list.getEntries().map(({ duration }) => duration)))
    .observe({ type: "longtask" });`;
const NEWEST = `fetch("api/v1/events?limit=1").then((answer) => answer.json()).then(({ items }) => Number(items[0].id))`;
/** The last of them are sent within 250 ms, and drawn. */
const DRAWN = "new Promise((resolve) => setTimeout(() => requestAnimationFrame(resolve), 500))";

/** The dashboard in Chromium: until it is useful after a sign-in, and how long it is busy at a stretch while events arrive. */
export async function pageRows(bench: Bench, of: string): Promise<readonly Row[]> {
  const browser = await LabBrowser.on(bench.lab.server, bench.lab);
  try {
    const { page } = browser;
    await page.addInitScript(TASKS);
    await page.goto(PAGE);
    const times: number[] = [];
    for (let i = 0; i < SIGN_INS; i++) {
      if (i > 0) await page.getByRole("button", { name: "Sign out" }).click();
      times.push(await signIn(page));
    }
    bench.say(`sign-in until the page is useful: ${times.map((ms) => ms.toFixed(0)).join(", ")} ms`);
    const tasks: number[] = [];
    for (const [place, heading] of PLACES) {
      const longest = await longestTask(bench, page, `${PAGE}#/${place}`, heading);
      bench.say(`longest task of the page ${heading}: ${longest === null ? "below 50" : longest.toFixed(0)} ms`);
      tasks.push(longest ?? LONG_TASK_MS);
    }
    const arriving = `${ARRIVING} events arrive in ${ARRIVING_MS / 1_000} s`;
    return [
      within(`sign-in to a useful page ${of}, median`, { value: median(times), unit: "ms" }, MOST_SIGN_IN_MS),
      within(
        `longest task of the page while ${arriving} (50: none is longer)`,
        { value: Math.max(...tasks), unit: "ms" },
        MOST_TASK_MS,
      ),
    ];
  } finally {
    await browser.close();
  }
}

/** From the password to the sentence, the figures and the newest bans. Milliseconds. */
async function signIn(page: Page): Promise<number> {
  await signInShown(page);
  await page.getByLabel("Administrator password").fill(PASSWORD);
  const from = performance.now();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Now" }).waitFor();
  await page.locator(".sentence").waitFor();
  await page.locator(".figure strong", { hasText: /\d/ }).first().waitFor();
  await page.locator(".row .badge").first().waitFor();
  return performance.now() - from;
}

/** Null: none was as long as browsers report. */
async function longestTask(bench: Bench, page: Page, place: string, heading: string): Promise<number | null> {
  await page.goto(place);
  await page.getByRole("heading", { level: 1, name: heading, exact: true }).waitFor();
  const newest = (): Promise<number> => page.evaluate<number>(NEWEST);
  const before = await newest();
  await page.evaluate("longTasks.length = 0");
  await arrive(bench.programs.layout.policySocket);
  await page.evaluate(DRAWN);
  const durations = await page.evaluate<readonly number[]>("longTasks");
  const arrived = (await newest()) - before;
  if (arrived < ARRIVING) throw new Error(`only ${arrived} events arrived`);
  return durations.length === 0 ? null : Math.max(...durations);
}

/** Connections of as many strangers, evenly over the time. */
async function arrive(policySocket: string): Promise<void> {
  const socket = connect(policySocket);
  await once(socket, "connect");
  const request = requestOf("CONNECT", "v6");
  const from = performance.now();
  for (let i = 0; i < ARRIVING; i++) {
    await pause(Math.max(0, from + (i * ARRIVING_MS) / ARRIVING - performance.now()));
    writeDigits(request, i, i);
    socket.write(request.bytes);
    await once(socket, "data");
  }
  socket.destroy();
}
