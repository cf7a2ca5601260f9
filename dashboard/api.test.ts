import assert from "node:assert/strict";
import { test } from "node:test";
import { PROBLEM_CODES, problem } from "../src/surfaces/api/problem.ts";
import { answerRequests } from "../test/kit/answered-requests.ts";
import {
  afterFailure,
  clockOffsetMs,
  failureOf,
  isOf,
  type Load,
  NOTHING_LOADED,
  pathOf,
  RequestError,
  request,
} from "./api.ts";
import { texts as german } from "./texts/german.ts";

const REFUSED = new RequestError(401, "The sign-in was refused.", "login_refused");
const TAKEN = new RequestError(409, "There is an account anna@example.org.", "refused");
const complaint = (asked: Promise<unknown>) => asked.catch((error: unknown) => failureOf(error));
const ofPage = (text: string) => ({ text, lang: "en" });

test("a German page has its own sentence for a code, and marks the server's as English", () => {
  const page = { problems: german.problems, lang: "de" } as const;
  assert.deepEqual(failureOf(REFUSED, page), { text: german.problems["login_refused"], lang: "de" });
  assert.deepEqual(failureOf(TAKEN, page), { text: TAKEN.message, lang: "en" });
  assert.deepEqual(failureOf("Das wurde abgelehnt.", page), { text: "Das wurde abgelehnt.", lang: "de" });
});

test("no answer, and an answer without a sentence, are shown in the page's language", async (t) => {
  const answers = [Promise.reject(new TypeError("fetch failed")), new Response("<p>Bad Gateway", { status: 502 })];
  answerRequests(t, () => answers.shift());
  assert.deepEqual(await complaint(request("GET /session")), ofPage("The server cannot be reached."));
  assert.deepEqual(await complaint(request("GET /session")), ofPage("The server answered 502."));
});

test("a network keeps its slash in the path, and any other text has it escaped", () => {
  const network = { params: { name: "anna@example.org", network: "2001:db8::/48" } };
  const path = pathOf("DELETE /accounts/{name}/networks/{network}", network);
  assert.equal(path, "accounts/anna%40example.org/networks/2001%3Adb8%3A%3A/48");
  assert.equal(pathOf("GET /why/{ip}", { params: { ip: "192.0.2.0/24" } }), "why/192.0.2.0/24");
  assert.equal(pathOf("GET /why/account/{account}", { params: { account: "smtpd/25" } }), "why/account/smtpd%2F25");
});

const UNANSWERED = ofPage("The server cannot be reached. Check whether a change was made before you repeat it.");

test("a change whose answer is lost may be done, and says so", async (t) => {
  const cut = new ReadableStream({ pull: (stream) => stream.error(new TypeError("network error")) });
  const answers = [Promise.reject(new TypeError("fetch failed")), new Response(cut)];
  answerRequests(t, () => answers.shift());
  assert.deepEqual(await complaint(request("POST /bans", { body: { ip: "192.0.2.1" } })), UNANSWERED);
  assert.deepEqual(
    await complaint(request("DELETE /bans/{network}", { params: { network: "192.0.2.1" } })),
    UNANSWERED,
  );
});

test("answers to My mailbox give the server's time", async (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: Date.UTC(2026, 10, 21, 14, 2) });
  t.after(() => (clockOffsetMs.value = 0));
  const dates = ["Sat, 21 Nov 2026 15:02:00 GMT", "Sat, 21 Nov 2026 15:02:01 GMT", "today"];
  answerRequests(t, () => Response.json({}, { headers: { date: dates.shift() ?? "" } }));
  for (const _ of [...dates, ""]) {
    await request("GET /me/senders");
    assert.equal(clockOffsetMs.value, 3_600_000);
  }
  const headers = { date: "Sat, 21 Nov 2026 19:02:00 GMT" };
  for (const ofProxy of [new Response("<p>Welcome", { headers }), Response.json({}, { status: 502, headers })]) {
    answerRequests(t, () => ofProxy);
    await assert.rejects(request("GET /me/senders"));
  }
  assert.equal(clockOffsetMs.value, 3_600_000);
});

test("a page of a proxy or a portal does not count as the server's answer", async (t) => {
  answerRequests(t, () => new Response("<p>Welcome to the hotel"));
  assert.deepEqual(await complaint(request("GET /session")), ofPage("The server cannot be reached."));
  assert.deepEqual(
    await complaint(request("DELETE /bans/{network}", { params: { network: "192.0.2.1" } })),
    UNANSWERED,
  );
});

test("a change that is not answered in time may be done, and says so", async (t) => {
  t.mock.method(AbortSignal, "timeout", () => AbortSignal.abort());
  t.mock.method(globalThis, "fetch", async (_path: string, { signal }: RequestInit) => {
    signal?.throwIfAborted();
    return Response.json({});
  });
  assert.deepEqual(await complaint(request("POST /bans", { body: { ip: "192.0.2.1" } })), UNANSWERED);
});

test("advice for people follows what the server says, and advice for programs does not", async (t) => {
  for (const [code, text] of [
    ["refused", "No."],
    ["invalid_request", "No."],
    ["too_many_requests", "No."],
    ["key_in_use", "No. Try again in a few seconds."],
  ] as const) {
    answerRequests(t, () => problem(code, "No."));
    assert.deepEqual(await complaint(request("GET /session")), ofPage(text));
  }
});

test("each translated problem is one of the server's, and a sentence", () => {
  for (const [code, text] of Object.entries(german.problems)) {
    assert.ok(PROBLEM_CODES.includes(code), code);
    assert.match(text, /^[A-ZÄÖÜ].*\.$/, code);
  }
});

const FORMER: Load<string> = { data: "events of all", error: null, asked: "all" };
const WRONG = { text: "is not an IP address", lang: "en" } as const;

test("rows of the previous question are not shown for one that failed", () => {
  const failed = afterFailure(FORMER, "ip=300.1.1.1", WRONG);
  assert.deepEqual(failed, { data: null, error: WRONG, asked: "ip=300.1.1.1" });
  assert.equal(afterFailure(failed, "ip=300.1.1.1", WRONG).data, null);
});

test("data that could not be refreshed stays, below the reason", () => {
  assert.deepEqual(afterFailure(FORMER, "all", WRONG), { ...FORMER, error: WRONG });
});

test("rows of the previous question do not answer the current one", () => {
  assert.ok(isOf(FORMER, "all"));
  assert.ok(!isOf(FORMER, "sender=form@example.test"));
  assert.ok(!isOf(NOTHING_LOADED, NOTHING_LOADED.asked), "nothing is of nothing");
});
