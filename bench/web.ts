import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import type { Page } from "playwright-core";
import { SCOPES } from "../src/core/access/scopes.ts";
import { DAY_MS, isoTime, later, MINUTE_MS } from "../src/core/time.ts";
import { systemClock } from "../src/host/machine/clock.ts";
import { sqliteCredentials } from "../src/store/accounts-db/credentials.ts";
import { openAccounts } from "../src/store/open.ts";
import { hashPassword } from "../src/store/passwords/password-hash.ts";
import { openBrowser } from "../test/lab/browser.ts";
import { mustRun } from "../test/lab/commands.ts";
import { signInShown } from "../test/lab/keyboard.ts";
import { median } from "../test/lab/wait.ts";
import { FILLED } from "../test/scale/fill.ts";
import type { ApiPlan, Asked } from "./api-load.ts";
import { askApi } from "./child.ts";
import { KEEPS_ALL } from "./guard.ts";
import { memoryRow } from "./memory.ts";
import { requestOf, writeDigits } from "./policy-request.ts";
import { FILLING, fillDatabase } from "./queries.ts";
import { type Bench, counted, ms, type Part, percentiles, type Row, slowestOf, within } from "./result.ts";

const RUNS = 100;
const WARM_UP = 5;
const MOST_MS = 50;
const MOST_MB = 80;
const MOST_KB = 1_000;
const TOKEN = "gi_0123456789abcdef0123456789abcdef";
const PORT = 3000;

/** All answers of the API about a large database, to a client on the same machine; the memory of the web; and the dashboard. */
export const web: Part = {
  name: "web",
  says: `answers of the API and the dashboard about ${FILLING}`,
  async run(bench) {
    const { programs, say } = bench;
    const now = systemClock.now();
    const events = await fillDatabase(bench, now);
    // Otherwise the rows, which were filled in without waiting for the disk, would be written to it while answers are measured.
    await mustRun(["sync"], { deadlineMs: MINUTE_MS });
    const accounts = openAccounts(programs.layout.accountsDb);
    const digest = createHash("sha256").update(TOKEN).digest("hex");
    const token = { name: "bench", digest, scopes: SCOPES, by: "root", at: now, expiresAt: null };
    const credentials = sqliteCredentials(accounts, systemClock);
    credentials.createToken(token);
    credentials.setAdminPassword(await hashPassword(PASSWORD));
    accounts.close();
    const children = await programs.startAll(KEEPS_ALL);
    const of = `of ${counted(events)} events`;
    return programs.whileRunning(Object.values(children), async () => {
      const rows: Row[] = [];
      const all = await askAll(bench, paths(isoTime(later(now, -29 * DAY_MS))));
      const named = all.map(({ path, bytes, times }) => ({
        what: `${path} of ${(bytes / 1_000).toFixed(1)} KB`,
        times,
      }));
      const slowest = slowestOf(named, say);
      rows.push(within(`slowest answer ${of}, p99 (${slowest.what})`, ms(slowest.p99Ms), MOST_MS));
      const [largest] = all.toSorted((a, b) => b.bytes - a.bytes);
      const kb = { value: (largest?.bytes ?? 0) / 1_000, unit: "KB" } as const;
      rows.push(within(`largest answer ${of} (${largest?.path})`, kb, MOST_KB));
      const search = { path: `/api/v1/why/${FILLED.busiest}`, clients: 8 };
      const [metrics] = await askAll(bench, ["/metrics"], search);
      const { p99Ms } = percentiles(metrics?.times ?? []);
      rows.push(within(`/metrics while eight clients search ${of}, p99`, ms(p99Ms), MOST_MS));
      rows.push(memoryRow(bench, `memory of the web afterwards ${of}`, children.web, MOST_MB));
      return [...rows, ...(await pageRows(bench, of))];
    });
  },
};

/** Each route that answers GET, with its most expensive query. */
function paths(monthAgo: string): readonly string[] {
  const busiest = `ip=${FILLED.busiest}`;
  return [
    "/metrics",
    "/healthz",
    "/healthz/live",
    "/healthz/ready",
    "/openapi.json",
    "/",
    "/api/security?action=stats",
    "/api/v1/session",
    "/api/v1/status",
    "/api/v1/stats",
    "/api/v1/figures",
    `/api/v1/figures?from=${monthAgo}`,
    "/api/v1/figures?step=60",
    "/api/v1/top?limit=500",
    `/api/v1/top?by=failures&limit=500&from=${monthAgo}`,
    "/api/v1/bans?limit=500",
    "/api/v1/bans?limit=500&cursor=5001",
    "/api/v1/allow",
    "/api/v1/events?limit=500",
    "/api/v1/events?limit=50&cursor=100000",
    `/api/v1/events?${busiest}&limit=500`,
    `/api/v1/events?${busiest}&type=${FILLED.rareType}`,
    "/api/v1/events?ip=11.0.0.0/8&type=LOGIN_FAILED",
    "/api/v1/events?ip=198.51.0.0/16",
    "/api/v1/events?text=never%20seen",
    `/api/v1/events?limit=500&type=BAN&type=LOGIN_FAILED&to=${monthAgo}`,
    `/api/v1/why/${FILLED.busiest}`,
    `/api/v1/why/account/${FILLED.account}`,
    `/api/v1/why/message/${FILLED.messageId}`,
  ];
}

function askAll({ lab }: Bench, asked: readonly string[], beside: ApiPlan["beside"] = null): Promise<readonly Asked[]> {
  const plan: ApiPlan = { port: PORT, token: TOKEN, paths: asked, runs: RUNS, warmUp: WARM_UP, beside };
  return askApi(plan, (argv) => lab.server.inside(argv));
}

/** The administrator's page is measured. */
const PASSWORD = "a long phrase for the bench";

const PAGE = "http://127.0.0.1:3000/";
const SIGN_INS = 5;
const MOST_SIGN_IN_MS = 1_000;
const [ARRIVING, ARRIVING_MS] = [500, 5_000];
const MOST_TASK_MS = 100;
/** Browsers report no shorter ones (W3C, Long Tasks API). */
const LONG_TASK_MS = 50;
/** Pages, each of which shows new events in a different way. */
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
/** Waits until the last events, which are sent within 250 ms, are drawn. */
const DRAWN = "new Promise((resolve) => setTimeout(() => requestAnimationFrame(resolve), 500))";

/** The dashboard in Chromium: how long until it is useful after a sign-in, and its longest task while events arrive. */
async function pageRows(bench: Bench, of: string): Promise<readonly Row[]> {
  const browser = await openBrowser(bench.lab.server, bench.lab);
  try {
    const { page } = browser;
    await page.addInitScript(TASKS);
    await page.goto(PAGE);
    const times: number[] = [];
    for (let i = 0; i < SIGN_INS; i++) {
      if (i > 0) await page.getByRole("button", { name: "Sign out" }).click();
      times.push(await signIn(page));
    }
    bench.say(`sign-in until the page is useful: ${times.map((time) => time.toFixed(0)).join(", ")} ms`);
    const tasks: number[] = [];
    for (const [place, heading] of PLACES) {
      const longest = await longestTask(bench, page, `${PAGE}#/${place}`, heading);
      bench.say(`longest task of the page ${heading}: ${longest === null ? "below 50" : longest.toFixed(0)} ms`);
      tasks.push(longest ?? LONG_TASK_MS);
    }
    const arriving = `${ARRIVING} events arrive in ${ARRIVING_MS / 1_000} s`;
    return [
      within(`sign-in to a useful page ${of}, median`, ms(median(times)), MOST_SIGN_IN_MS),
      within(`longest task of the page while ${arriving} (50: none is longer)`, ms(Math.max(...tasks)), MOST_TASK_MS),
    ];
  } finally {
    await browser.close();
  }
}

/** Milliseconds from the password to the sentence, the figures and the newest bans. */
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

/** Null if none was long enough for browsers to report. */
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

/** Makes connections from as many strangers, spread evenly over the time. */
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
