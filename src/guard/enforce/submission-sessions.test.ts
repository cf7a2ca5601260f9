// Invariant: A new password ends the account's open sessions, and no others.
import assert from "node:assert/strict";
import { test } from "node:test";
import { endingSubmission, SubmissionSessions } from "./submission-sessions.ts";

const [ANNA, BERT] = ["anna@example.org", "bert@example.org"];
const [OLD, NEW] = ["203.0.113.9 40001 587 192.0.2.1", "203.0.113.9 40001 465 192.0.2.1"];

test("an account's earlier sessions are over at each stage, and other accounts' sessions are not", async () => {
  const sessions = new SubmissionSessions();
  const keeper = endingSubmission({ ask: () => Promise.resolve({ ok: false, reason: "down" }) }, sessions);
  sessions.begin(OLD);
  assert.equal(sessions.isOver(OLD, ANNA, true), false);
  await keeper.ask({ verb: "mailbox_use", account: ANNA });
  assert.equal(sessions.isOver(OLD, ANNA, true), false);
  assert.equal((await keeper.ask({ verb: "kick_account", account: "Anna@Example.org" })).ok, false);
  sessions.begin(NEW);
  for (const isAtRecipient of [true, false]) {
    assert.equal(sessions.isOver(OLD, ANNA, isAtRecipient), true);
    assert.equal(sessions.isOver(NEW, ANNA, isAtRecipient), false);
    assert.equal(sessions.isOver(OLD, BERT, isAtRecipient), false);
  }
  sessions.begin(OLD);
  assert.equal(sessions.isOver(OLD, ANNA, true), false, "the port was reused");
});

test("remembers the latest 20,000 sessions, and the latest 20,000 accounts whose sessions were ended", () => {
  const sessions = new SubmissionSessions();
  const both = (name: string, account: string): void => {
    sessions.begin(name);
    sessions.end(account);
  };
  both(OLD, ANNA);
  both(NEW, BERT);
  for (let i = 2; i < 20_000; i++) both(`session ${i}`, `user${i}@example.org`);
  assert.deepEqual([sessions.isOver(OLD, "carl@example.org", true), sessions.isOver(OLD, ANNA, false)], [false, true]);
  both("one more", "more@example.org");
  assert.deepEqual([sessions.isOver(NEW, "carl@example.org", true), sessions.isOver(OLD, ANNA, false)], [true, false]);
});

test("a session from before the guard's start must sign in again, once its mail is accepted", () => {
  const sessions = new SubmissionSessions();
  assert.deepEqual([sessions.isOver(OLD, ANNA, true), sessions.isOver(OLD, ANNA, false)], [true, false]);
  sessions.end(ANNA);
  assert.equal(sessions.isOver(OLD, ANNA, false), true);
});
