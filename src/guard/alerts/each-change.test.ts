import assert from "node:assert/strict";
import { test } from "node:test";
import { DAY_MS, HOUR_MS, instant } from "../../core/time.ts";
import { EachChange } from "./change-windows.ts";

test("past the first changes of a day, those of each hour share one alert that names the last", () => {
  const changes = new EachChange("web_settings", 2);
  const take = (minute: number): void =>
    changes.take({ at: instant(minute * 60_000), subject: `#${minute}`, detail: "changed", isNewNetwork: false });
  for (const minute of [0, 1, 2, 3, 60]) take(minute);
  assert.deepEqual(
    changes.holding(instant(HOUR_MS)).map(({ subject, detail }) => `${subject}: ${detail}`),
    [
      "#0: changed",
      "#1: changed",
      "further changes since 1970-01-01T00:00:00.000Z: 2 so far, the last: #3: changed",
      "further changes since 1970-01-01T01:00:00.000Z: 1 so far, the last: #60: changed",
    ],
  );
  assert.equal(changes.holding(instant(DAY_MS + 3 * 60_000)).length, 1, "the last hour's");
  take(24 * 60 + 4);
  assert.equal(changes.holding(instant(DAY_MS + 4 * 60_000)).at(0)?.subject, `#${24 * 60 + 4}`);
  assert.deepEqual(changes.holding(instant(-2 * DAY_MS)), [], "a clock that was set back");
});

test("a change from a network that is not the owner's is critical, even after a flood of harmless ones", () => {
  const changes = new EachChange("web_settings", 2);
  const take = (second: number, isNewNetwork: boolean): void =>
    changes.take({ at: instant(second * 1_000), subject: `#${second}`, detail: "changed", isNewNetwork });
  for (const second of [0, 1, 2]) take(second, false);
  take(3, true);
  const found = changes.holding(instant(4_000)).map(({ code, subject }) => `${code} ${subject}`);
  assert.deepEqual(found.slice(2), [
    "web_settings further changes since 1970-01-01T00:00:00.000Z",
    "web_new_network further changes since 1970-01-01T00:00:00.000Z",
  ]);
});
