import assert from "node:assert/strict";
import { test } from "node:test";
import { PROBLEM_CODES, problem } from "../src/surfaces/api/problem.ts";
import { answerRequests } from "../test/kit/answered-requests.ts";
import { afterFailure, complaintOf, get, isOf, type Load, NOTHING_LOADED, post, Refused, remove } from "./api.ts";
import { texts as german } from "./texts/german.ts";

const REFUSED = new Refused(401, "The sign-in was refused.", "login_refused");
const TAKEN = new Refused(409, "There is an account anna@example.org.", "refused");

test("a German page has its own sentence for a code, and marks the server's as English", () => {
  const page = { problems: german.problems, lang: "de" } as const;
  assert.deepEqual(complaintOf(REFUSED, page), { text: german.problems["login_refused"], lang: "de" });
  assert.deepEqual(complaintOf(TAKEN, page), { text: TAKEN.message, lang: "en" });
  assert.deepEqual(complaintOf("Das wurde abgelehnt.", page), { text: "Das wurde abgelehnt.", lang: "de" });
});

test("no answer, and an answer without a sentence, are shown in the page's language", async (t) => {
  const answers = [Promise.reject(new TypeError("fetch failed")), new Response("<p>Bad Gateway", { status: 502 })];
  answerRequests(t, () => answers.shift());
  const complaint = () => get("session").catch((error: unknown) => complaintOf(error));
  assert.deepEqual(await complaint(), { text: "The server cannot be reached.", lang: "en" });
  assert.deepEqual(await complaint(), { text: "The server answered 502.", lang: "en" });
});

const UNANSWERED = "The server cannot be reached. Check whether a change was made before you repeat it.";
const complaint = (asked: Promise<unknown>) => asked.catch((error: unknown) => complaintOf(error).text);

test("a change whose answer is lost may be done, and says so", async (t) => {
  const cut = new ReadableStream({ pull: (stream) => stream.error(new TypeError("network error")) });
  const answers = [Promise.reject(new TypeError("fetch failed")), new Response(cut)];
  answerRequests(t, () => answers.shift());
  assert.equal(await complaint(post("bans", {})), UNANSWERED);
  assert.equal(await complaint(remove("bans/192.0.2.1")), UNANSWERED);
});

test("a change that is not answered in time may be done, and says so", async (t) => {
  t.mock.method(AbortSignal, "timeout", () => AbortSignal.abort());
  t.mock.method(globalThis, "fetch", async (_path: string, { signal }: RequestInit) => {
    signal?.throwIfAborted();
    return Response.json({});
  });
  assert.equal(await complaint(post("bans", {})), UNANSWERED);
});

test("advice for people follows what the server says, and advice for programs does not", async (t) => {
  const answers = (["refused", "invalid_request", "too_many_requests", "key_in_use"] as const).map((code) =>
    problem(code, "No."),
  );
  answerRequests(t, () => answers.shift());
  const said = () => get("session").catch((error: unknown) => complaintOf(error).text);
  assert.deepEqual(
    [await said(), await said(), await said(), await said()],
    ["No.", "No.", "No.", "No. Try again in a few seconds."],
  );
});

test("each translated problem is one of the server's, and a sentence", () => {
  for (const [code, text] of Object.entries(german.problems)) {
    assert.ok(PROBLEM_CODES.includes(code), code);
    assert.match(text, /^[A-ZÄÖÜ].*\.$/, code);
  }
});

const FORMER: Load<string> = { data: "events of all", error: null, asked: "all" };

const WRONG = { text: "is not an IP address", lang: "en" } as const;

test("rows of the former question are not shown for one that failed", () => {
  const failed = afterFailure(FORMER, "ip=300.1.1.1", WRONG);
  assert.deepEqual(failed, { data: null, error: WRONG, asked: "ip=300.1.1.1" });
  assert.equal(afterFailure(failed, "ip=300.1.1.1", WRONG).data, null);
});

test("what could not be refreshed stays, below the reason", () => {
  assert.deepEqual(afterFailure(FORMER, "all", WRONG), { ...FORMER, error: WRONG });
});

test("rows of the former question are not of the one that is asked now", () => {
  assert.ok(isOf(FORMER, "all"));
  assert.ok(!isOf(FORMER, "sender=form@example.test"));
  assert.ok(!isOf(NOTHING_LOADED, NOTHING_LOADED.asked), "nothing is of nothing");
});
