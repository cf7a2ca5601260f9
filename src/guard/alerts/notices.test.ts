import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock, SILENT } from "../../../test/kit/engine-kit.ts";
import { createLog } from "../../host/machine/log.ts";
import { NoticeBoard } from "./notices.ts";

test("a notice is raised once and logged once until it is cleared; its detail stays up to date", () => {
  const clock = new HandClock();
  const lines: string[] = [];
  const log = createLog(clock, (line) => lines.push(line));
  const board = new NoticeBoard(clock, log);
  board.set("disk_nearly_full", null);
  board.set("disk_nearly_full", "3 % left");
  clock.advance(60_000);
  board.set("disk_nearly_full", "2 % left");
  board.set("keeper_unreachable", "no socket");
  const raised = board.list().map(({ code, since, detail }) => [code, since, detail]);
  assert.deepEqual(raised, [
    ["disk_nearly_full", "2026-01-01T00:00:00.000Z", "2 % left"],
    ["keeper_unreachable", "2026-01-01T00:01:00.000Z", "no socket"],
  ]);
  assert.equal(lines.length, 2);
  board.set("disk_nearly_full", null);
  board.set("disk_nearly_full", null);
  assert.equal(lines.length, 3);
  assert.match(lines[0] ?? "", /warn .*nearly full.* notice=disk_nearly_full detail="3 % left"/);
  assert.match(lines[2] ?? "", /info .* notice=disk_nearly_full since=2026-01-01T00:00:00\.000Z/);
  const left = board.list().map(({ code }) => code);
  assert.deepEqual(left, ["keeper_unreachable"]);
  for (const { says, next } of board.list()) assert.ok(says !== "" && next !== "");
});

test("a notice keeps the newest 1,000 of what it is about", () => {
  const board = new NoticeBoard(new HandClock(), SILENT);
  const all = Array.from({ length: 1_001 }, (_, i) => `key ${i}`);
  board.set("certificate_unknown", "", all);
  assert.deepEqual(board.list()[0]?.about, all.slice(1));
});
