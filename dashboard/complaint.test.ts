import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { PROBLEM_CODES } from "../src/surfaces/api/problem.ts";
import { complaintOf, get, Refused } from "./api.ts";
import { speak } from "./messages.ts";
import { texts as german } from "./texts/german.ts";

const REFUSED = new Refused(401, "The sign-in was refused.", "login_refused");
const TAKEN = new Refused(409, "There is an account anna@example.org.", "refused");

async function speakGerman(t: TestContext): Promise<void> {
  await speak("de");
  t.after(() => speak("en"));
}

test("an English page says what the server says", () => {
  assert.deepEqual(complaintOf(REFUSED), { text: "The sign-in was refused.", lang: "en" });
});

test("a German page has its own sentence for a code, and marks the server's as English", async (t) => {
  await speakGerman(t);
  assert.deepEqual(complaintOf(REFUSED), { text: german.problems["login_refused"], lang: "de" });
  assert.deepEqual(complaintOf(TAKEN), { text: TAKEN.message, lang: "en" });
  assert.deepEqual(complaintOf("Das wurde abgelehnt."), { text: "Das wurde abgelehnt.", lang: "de" });
});

test("no answer, and an answer without a sentence, are shown in the page's language", async (t) => {
  await speakGerman(t);
  const fetching = t.mock.method(globalThis, "fetch", () => Promise.reject(new TypeError("fetch failed")));
  const failed = await get("session").catch(complaintOf);
  assert.deepEqual(failed, { text: "Der Server ist nicht erreichbar.", lang: "de" });
  fetching.mock.mockImplementation(() => Promise.resolve(new Response("<p>Bad Gateway", { status: 502 })));
  assert.deepEqual(await get("session").catch(complaintOf), { text: "Der Server antwortete mit 502.", lang: "de" });
});

test("each translated problem is one of the server's, and a sentence", () => {
  const known: readonly string[] = PROBLEM_CODES;
  for (const [code, text] of Object.entries(german.problems)) {
    assert.ok(known.includes(code), code);
    assert.match(text, /^[A-ZÄÖÜ].*\.$/, code);
  }
});
