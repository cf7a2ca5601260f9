import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { HandClock } from "../../../test/kit/engine-kit.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { DAY_MS, HOUR_MS, isoTime } from "../../core/time.ts";
import type { AlertMail } from "../../mail/notifiers/alert-mails.ts";
import { appendAnchor, readAnchors } from "./audit-anchors.ts";
import { mailAnchor } from "./audit-watch.ts";

function scene() {
  const auditAnchors = join(temporaryDirectory(), "anchors");
  const clock = new HandClock();
  const mails: AlertMail[] = [];
  const state = { queueFails: false };
  const look = () =>
    mailAnchor({
      layout: { auditAnchors },
      clock,
      mail: (alert) => {
        mails.push(alert);
        return Promise.resolve(state.queueFails ? { ok: false, reason: "no queue" } : { ok: true, detail: "" });
      },
    });
  const anchor = (id: number): void =>
    appendAnchor(auditAnchors, { at: isoTime(clock.now()), id, hash: String(id).repeat(64) });
  const after = async (ms: number): Promise<readonly string[]> => {
    clock.advance(ms);
    await look();
    return mails.splice(0).map(({ title }) => title);
  };
  return { auditAnchors, mails, state, anchor, after };
}

test("the newest anchor is sent once, on a day with new entries", async () => {
  const { anchor, after, auditAnchors } = scene();
  assert.deepEqual(await after(0), [], "nothing is anchored");
  anchor(1);
  assert.deepEqual(await after(HOUR_MS), []);
  anchor(2);
  assert.deepEqual(await after(DAY_MS), ["Audit: entry 2"]);
  assert.deepEqual(await after(2 * DAY_MS), [], "nothing is new");
  anchor(3);
  assert.deepEqual(await after(0), ["Audit: entry 3"]);
  anchor(4);
  assert.deepEqual(await after(HOUR_MS), []);
  const noted = readAnchors(auditAnchors).anchors.map(({ id, mailed }) => (mailed ? `${id} mailed` : `${id}`));
  assert.deepEqual(noted, ["1", "2", "2 mailed", "3", "3 mailed", "4"]);
});

test("the mail contains an anchor that can be compared", async () => {
  const { anchor, mails, after, auditAnchors, state } = scene();
  anchor(7);
  state.queueFails = true;
  assert.equal((await after(DAY_MS)).length, 1);
  state.queueFails = false;
  assert.equal((await after(HOUR_MS)).length, 1, "it is retried");
  anchor(8);
  const again = after(DAY_MS);
  const { body } = mails[0] ?? assert.fail();
  await again;
  const [line = ""] = body.split("\n").filter((one) => one.startsWith("{"));
  assert.deepEqual(JSON.parse(line), { ...readAnchors(auditAnchors).anchors.at(-2) });
});
