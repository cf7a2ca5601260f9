import assert from "node:assert/strict";
import { test } from "node:test";
import { apiKitOf, T0 } from "../../../../test/kit/api-kit.ts";
import { HEALTH } from "../../../../test/kit/fake-guard.ts";
import { until } from "../../../../test/kit/until.ts";
import { later, MINUTE_MS, type Millis } from "../../../core/time.ts";
import { createHealthReader } from "../health.ts";
import { createPageNews, smallFigures } from "./page-news.ts";

const kit = apiKitOf(import.meta.filename);

test("the health is checked only while a page is open, once for all pages", async () => {
  const news = createPageNews(kit.parts, createHealthReader(kit.parts));
  assert.equal(kit.guard.of("health").length, 0);
  let reported = 0;
  const leave = [news.subscribe(() => (reported += 1)), news.subscribe(() => undefined)];
  await until(() => news.health() !== null);
  assert.deepEqual(JSON.parse(news.health() ?? ""), HEALTH);
  assert.deepEqual([reported, kit.guard.of("health").length, kit.subscribers()], [1, 1, 1]);
  kit.notify();
  assert.deepEqual([reported, news.commits()], [2, 1]);
  for (const one of leave) one();
  assert.deepEqual([news.health(), kit.subscribers()], [null, 0]);
});

test("a longer uptime does not count as a change of health", async (t) => {
  const news = createPageNews(kit.parts, createHealthReader(kit.parts));
  let reported = 0;
  t.after(news.subscribe(() => (reported += 1)));
  await until(() => reported === 1);
  kit.guard.answers("health", { ...HEALTH, uptimeSeconds: 9 });
  kit.advance(2_000);
  await until(() => kit.guard.of("health").length > 1);
  kit.guard.answers("health", { ...HEALTH, status: "degraded" });
  kit.advance(2_000);
  await until(() => reported === 2);
  assert.match(news.health() ?? "", /"degraded"/);
});

test("the small figures cover the last day, the last hour, and each of the last two minutes", async () => {
  const at = later(T0, 30_000);
  const totals = (when: Millis | null) => ({ BAN: when === null ? 100 : 100 - Math.ceil((at - when) / MINUTE_MS) });
  const { minutes, day, hour, bans } = smallFigures({ ...kit.queries.figures, totals }, at);
  assert.deepEqual([day.bans, hour.bans, bans], [1_441, 61, 1]);
  const counted = minutes.map((minute) => `${minute.at} ${minute.bans}`);
  assert.deepEqual(counted, ["2026-11-20T06:59:00.000Z 1", "2026-11-20T07:00:00.000Z 1"]);
});
