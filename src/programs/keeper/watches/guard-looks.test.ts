import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { dirname } from "node:path";
import { type TestContext, test } from "node:test";
import { HandClock } from "../../../../test/kit/engine-kit.ts";
import { temporaryDirectory } from "../../../../test/kit/temporary-directory.ts";
import { until } from "../../../../test/kit/until.ts";
import { SECOND_MS } from "../../../core/time.ts";
import { layoutOf } from "../../../settings/layout.ts";
import { repeat } from "../repeat.ts";
import { guardLooks } from "./guard-looks.ts";

const ENDLESS = new Promise<never>(() => undefined);

/** The keeper's checks, in order; each check of the services takes a second. */
function looking(t: TestContext) {
  const layout = layoutOf(temporaryDirectory());
  const clock = new HandClock();
  const counted = { services: 0, mails: 0 };
  const look = (): void => {
    counted.services += 1;
    clock.advance(SECOND_MS);
  };
  const mail = (): Promise<never> => {
    counted.mails += 1;
    return ENDLESS;
  };
  const begin = (): void => {
    let isOver = false;
    t.after(() => (isOver = true));
    const reload = () => Promise.resolve(null);
    const looks = guardLooks({
      layout,
      clock,
      mail,
      reload,
      services: { look, takenPort: () => null },
      language: () => "en",
      say: () => null,
    });
    for (const one of looks) void repeat({ ...one, everyMs: 1, look: () => (isOver ? ENDLESS : one.look()) });
  };
  return { layout, counted, begin };
}

test("services are checked while the mail about a stopped guard cannot be queued", async (t) => {
  const { counted, begin } = looking(t);
  begin();
  await until(() => counted.mails > 0);
  const before = counted.services;
  await until(() => counted.services > before + 20);
  assert.equal(counted.mails, 1);
});

test("services are checked while the guard hangs", async (t) => {
  const { layout, counted, begin } = looking(t);
  const asking: Socket[] = [];
  const hanging = createServer((socket) => asking.push(socket));
  mkdirSync(dirname(layout.controlSocket), { recursive: true });
  await new Promise<void>((listening) => {
    hanging.listen(layout.controlSocket, listening);
  });
  t.after(() => {
    for (const socket of asking) socket.destroy();
    hanging.close();
  });
  begin();
  await until(() => asking.length > 0);
  const before = counted.services;
  await until(() => counted.services > before + 20);
  assert.equal(asking.length, 1, "it is still the first question");
});
