import assert from "node:assert/strict";
import { test } from "node:test";
import { LIMITS } from "./limits.ts";
import { Sessions } from "./sessions.ts";

test("mails are counted by connection, and a port that is used again starts anew", () => {
  const sessions = new Sessions();
  for (let i = 0; i < 3; i++) sessions.addMail("203.0.113.7 40000");
  assert.equal(sessions.mails("203.0.113.7 40000"), 3);
  assert.equal(sessions.mails("203.0.113.7 40001"), 0);
  sessions.begin("203.0.113.7 40000");
  assert.equal(sessions.mails("203.0.113.7 40000"), 0);
});

test("a flood of connections pushes out the oldest", () => {
  const sessions = new Sessions();
  for (let port = 0; port <= LIMITS.sessions; port++) sessions.addMail(`203.0.113.7 ${port}`);
  assert.equal(sessions.mails("203.0.113.7 0"), 0);
  assert.equal(sessions.mails(`203.0.113.7 ${LIMITS.sessions}`), 1);
});
