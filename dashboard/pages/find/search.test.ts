import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { answerRequests } from "../../../test/kit/answered-requests.ts";
import { kindOf, search } from "./search.ts";

test("text typed into the search box is treated as what it looks like", () => {
  const kinds = {
    address: ["203.0.113.7", "203.0.113.0/24", "2001:db8::1", "2001:DB8::/48", "::ffff:192.0.2.1"],
    account: ["anna@example.org", "anna", "x1@host.example", "fee", "root"],
    message: ["72CED1EABE5", "4XyZbK3Qm9z2bcd", "4ZzQ0v1Jc3zD6H2bfJHqTw8", "<20261121.1@example.org>"],
  };
  for (const [kind, all] of Object.entries(kinds)) for (const asked of all) assert.equal(kindOf(asked), kind, asked);
});

/** Of what is in `known` something is recorded. Returns what was asked. */
function serve(
  t: TestContext,
  known: readonly string[],
  named: readonly unknown[] = [],
  accepts: (what: string) => boolean = () => true,
): string[] {
  const asked: string[] = [];
  answerRequests(t, (request) => {
    if (request.startsWith("GET events")) return { items: named, next: null };
    const what = decodeURIComponent(request.replace("GET why/", ""));
    asked.push(what);
    if (!accepts(what)) return new Response("{}", { status: 400 });
    return { timeline: known.includes(what) ? [{}] : [], state: null };
  });
  return asked;
}

test("text that may be a mail or an account is looked up as both; if neither is known, its form decides", async (t) => {
  const asked = serve(t, ["account/12345", "message/id@host.example", "message/72CED1EABE5"]);
  for (const [text, kind, ...requests] of [
    ["12345", "account", "message/12345", "account/12345"],
    ["id@host.example", "message", "account/id@host.example", "message/id@host.example"],
    ["72CED1EABE5", "message", "message/72CED1EABE5"],
    ["ABBA5", "message", "message/ABBA5", "account/ABBA5"],
    ["anna", "account", "account/anna", "message/anna"],
    ["<id@host.example>", "message", "message/<id@host.example>"],
    ["ab", "account", "account/ab"],
    ["2001:db8::/48", "address", "2001:db8::/48"],
  ] as const) {
    asked.length = 0;
    assert.equal((await search(text)).kind, kind, text);
    assert.deepEqual(asked, requests);
  }
});

test("a sender, a domain or a recipient is found by the events that name it", async (t) => {
  serve(t, [], [{ id: 1 }]);
  const found = await search("news@shop.example");
  assert.ok(found.kind === "events" && found.items.length === 1);
});

test("a long text is not searched for in events, and one that is too long for an account is looked up as a mail", async (t) => {
  const long = `${"a".repeat(320)}@host.example`;
  const accepts = (what: string): boolean => what !== `account/${long}`;
  const asked = serve(t, [], [{ id: 1 }], accepts);
  assert.equal((await search("a".repeat(201))).kind, "account");
  assert.equal((await search(long)).kind, "message");
  assert.deepEqual(asked.slice(2), [`account/${long}`, `message/${long}`]);
  serve(t, [], [], () => false);
  await assert.rejects(search("anna"), { status: 400 });
});
