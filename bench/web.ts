import { createHash } from "node:crypto";
import { hashPassword } from "../src/adapters/accounts/password-hash.ts";
import { systemClock } from "../src/adapters/machine/clock.ts";
import { SqliteCredentials } from "../src/adapters/sqlite/accounts-db/admin.ts";
import { openAccounts, openEngine } from "../src/adapters/sqlite/open.ts";
import { SCOPES } from "../src/core/access/scopes.ts";
import { DAY_MS, isoTime, later, MINUTE_MS } from "../src/core/time.ts";
import { mustRun } from "../test/lab/commands.ts";
import { FILLED, fill } from "../test/scale/fill.ts";
import type { ApiPlan, Asked } from "./api-plan.ts";
import { removeTable } from "./ban-time.ts";
import { KEEPS_ALL } from "./guard.ts";
import { askApi } from "./load-client.ts";
import { memoryRow } from "./memory.ts";
import { PASSWORD, pageRows } from "./page.ts";
import type { Bench, Part } from "./part.ts";
import { percentiles, type Row, within } from "./result.ts";

const EVENTS = 10_000_000;
const BANS = 100_000;
const RUNS = 100;
const WARM_UP = 5;
const MOST_MS = 50;
const MOST_MB = 80;
const MOST_KB = 1_000;
const TOKEN = "gi_0123456789abcdef0123456789abcdef";
const PORT = 3000;

/** Every answer of the API about a large database, as a client on the same machine gets it, the memory of the web, and the dashboard. */
export const web: Part = {
  name: "web",
  says: `answers of the API and the dashboard about ${EVENTS.toLocaleString("en")} events and ${BANS.toLocaleString("en")} bans`,
  async run(bench) {
    const { programs, quick, say } = bench;
    await programs.wipe();
    const events = quick ? EVENTS / 20 : EVENTS;
    const now = systemClock.now();
    const writer = openEngine(programs.layout.engineDb);
    fill(writer, { events, bans: BANS, now });
    writer.close();
    // Rows that were filled in without waiting for the disk are not written to it while answers are measured.
    await mustRun(["sync"], { deadlineMs: MINUTE_MS });
    const accounts = openAccounts(programs.layout.accountsDb);
    const digest = createHash("sha256").update(TOKEN).digest("hex");
    const token = { name: "bench", digest, scopes: SCOPES, by: "root", at: now, expiresAt: null };
    const credentials = new SqliteCredentials(accounts, systemClock);
    credentials.createToken(token);
    credentials.setAdminPassword(await hashPassword(PASSWORD));
    accounts.close();
    const children = await programs.startAll(KEEPS_ALL);
    const of = `of ${events.toLocaleString("en")} events`;
    const rows: Row[] = [];
    try {
      let [slowest, largest] = [
        { path: "", p99Ms: 0 },
        { path: "", kb: 0 },
      ];
      for (const { path, bytes, times } of await askAll(bench, paths(isoTime(later(now, -29 * DAY_MS))))) {
        const { p50Ms, p99Ms } = percentiles(times);
        const kb = bytes / 1_000;
        say(`${path}: p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms, ${kb.toFixed(1)} KB`);
        if (p99Ms > slowest.p99Ms) slowest = { path, p99Ms };
        if (kb > largest.kb) largest = { path, kb };
      }
      rows.push(within(`slowest answer ${of}, p99 (${slowest.path})`, { value: slowest.p99Ms, unit: "ms" }, MOST_MS));
      rows.push(within(`largest answer ${of} (${largest.path})`, { value: largest.kb, unit: "KB" }, MOST_KB));
      const search = { path: `/api/v1/why/${FILLED.busiest}`, clients: 8 };
      const [metrics] = await askAll(bench, ["/metrics"], search);
      const { p99Ms } = percentiles(metrics?.times ?? []);
      rows.push(within(`/metrics while eight clients search ${of}, p99`, { value: p99Ms, unit: "ms" }, MOST_MS));
      rows.push(memoryRow(bench, `memory of the web afterwards ${of}`, children.web, MOST_MB));
      rows.push(...(await pageRows(bench, of)));
    } finally {
      await Promise.all(Object.values(children).map((child) => child.stop()));
      await removeTable(bench);
    }
    return rows;
  },
};

/** Each route that answers GET, with what costs it most. */
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
