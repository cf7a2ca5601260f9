import assert from "node:assert/strict";
import { test } from "node:test";
import { startKit } from "../../../test/kit/api-kit.ts";
import { AS_TOKEN, tokenNamed } from "../../../test/kit/fake-guard.ts";
import type { Command } from "../../admin/declare/control.ts";
import type { QueueItem } from "../../admin/queue.ts";

const AT = "2026-11-20T07:00:00.000Z";
const HOSTILE = "<img src=x onerror=alert(1)>\u202e";
const MAIL: QueueItem = {
  queueId: "4Wxyz12AbCz1",
  queue: "deferred",
  heldFor: null,
  at: AT,
  sizeBytes: 700,
  sender: "anna@example.org",
  recipientCount: 2,
  recipients: [{ address: `"${HOSTILE}"@example.net`, reason: `450 4.2.0 ${HOSTILE}` }],
  nextTryAt: AT,
};
const CHANGED = { changed: 2, kept: [{ account: "bert@example.org", mails: 1 }], next: null };

const ids = ["4Wxyz12AbCz1"];
const NONE = { ids: [], account: null, sender: null, recipient: null } as const;
const HELD = { accounts: [], held: [], heldTotal: 0, sent: [], sentTotal: 0 };
const PAUSE = { target: "anna@example.org", until: AT, by: "root" };
const SENDER = { account: "anna@example.org", sender: "*@friend.example" };

test("each route asks the guard as its caller, and answers what the guard says", async (t) => {
  const kit = await startKit(t);
  for (const [method, path, body, asked, result, answer] of [
    [
      "GET",
      "queue",
      undefined,
      { verb: "queue_list", ...NONE, limit: 50, cursor: null },
      page("mails", MAIL),
      page("items", MAIL),
    ],
    [
      "GET",
      "queue?sender=&recipient=bob@example.net&state=hold&limit=7&cursor=c",
      undefined,
      { verb: "queue_list", ...NONE, sender: "", recipient: "bob@example.net", state: "hold", limit: 7, cursor: "c" },
      page("mails"),
      page("items"),
    ],
    ["POST", "queue/hold", { ids }, { verb: "queue_hold", ...NONE, ids, isAll: false, cursor: null }, CHANGED, CHANGED],
    [
      "POST",
      "queue/release",
      { all: true },
      { verb: "queue_release", ...NONE, isAll: true, cursor: null },
      CHANGED,
      CHANGED,
    ],
    [
      "POST",
      "queue/flush",
      { account: "anna@example.org", cursor: "c" },
      { verb: "queue_flush", ...NONE, account: "anna@example.org", isAll: false, cursor: "c" },
      CHANGED,
      CHANGED,
    ],
    [
      "POST",
      "queue/delete",
      { sender: "", state: "deferred" },
      { verb: "queue_delete", ...NONE, sender: "", state: "deferred", isAll: false, cursor: null },
      CHANGED,
      CHANGED,
    ],
    [
      "POST",
      "queue/return",
      { ids },
      { verb: "queue_return", ...NONE, ids, isAll: false, cursor: null },
      CHANGED,
      CHANGED,
    ],
    ["GET", "held?account=anna@example.org", undefined, { verb: "held_list", name: "anna@example.org" }, HELD, HELD],
    [
      "POST",
      "held/anna@example.org/release",
      undefined,
      { verb: "held_release", name: "anna@example.org" },
      { name: "anna@example.org", released: 3, isMore: false },
      { name: "anna@example.org", released: 3, isMore: false },
    ],
    [
      "POST",
      "held/anna%40example.org/drop",
      { ids, bounce: true },
      { verb: "held_drop", name: "anna@example.org", isReturned: true, ids },
      { name: "anna@example.org", dropped: 1, isMore: false, isHeld: true },
      { name: "anna@example.org", dropped: 1, isMore: false, isHeld: true },
    ],
    [
      "GET",
      "greylist/pauses",
      undefined,
      { verb: "greylist_list", limit: 50, cursor: null },
      page("items", PAUSE),
      page("items", PAUSE),
    ],
    [
      "POST",
      "greylist/pauses",
      { recipient: "anna@example.org", for: "2h" },
      { verb: "greylist_pause", recipient: "anna@example.org", for: "2h" },
      PAUSE,
      PAUSE,
    ],
    [
      "DELETE",
      "greylist/pauses/anna@example.org",
      undefined,
      { verb: "greylist_resume", recipient: "anna@example.org" },
      { target: "anna@example.org" },
      { target: "anna@example.org" },
    ],
    [
      "GET",
      "spam/senders",
      undefined,
      { verb: "spam_allow_list", limit: 50, cursor: null },
      page("items", { ...SENDER, by: "root", at: AT }),
      page("items", { ...SENDER, by: "root", at: AT }),
    ],
    ["POST", "spam/senders", SENDER, { verb: "spam_allow_add", ...SENDER }, SENDER, SENDER],
    [
      "DELETE",
      `spam/senders?${new URLSearchParams(SENDER).toString()}`,
      undefined,
      { verb: "spam_allow_remove", ...SENDER },
      SENDER,
      SENDER,
    ],
  ] as readonly (readonly [string, string, unknown, Command, object, object])[]) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the guard's own results
    kit.guard.replies.set(asked.verb, { ok: true, result } as never);
    const isMade = method === "POST" && /^(greylist|spam)\//.test(path);
    const got = await kit.send(method, path, body);
    assert.deepEqual([got.status, got.answer], [isMade ? 201 : 200, answer], `${method} ${path}`);
    assert.deepEqual(kit.guard.asked.at(-1), { by: AS_TOKEN, command: asked }, `${method} ${path}`);
  }
  assert.deepEqual(kit.problems, []);
});

test("nonsense, no choice, and all mail where it may not be meant are refused before the guard is asked", async (t) => {
  const kit = await startKit(t);
  const before = kit.guard.asked.length;
  for (const [method, path, body] of [
    ["GET", "queue?state=gone"],
    ["GET", "queue?recipient=bob"],
    ["GET", `queue?sender=${"a".repeat(321)}`],
    ["GET", "queue?limit=0"],
    ["POST", "queue/hold", {}],
    ["POST", "queue/hold", { state: "deferred" }],
    ["POST", "queue/hold", { ids: [] }],
    ["POST", "queue/hold", { ids: ["../x"] }],
    ["POST", "queue/hold", { ids: Array.from({ length: 101 }, () => "ABCDE1") }],
    ["POST", "queue/hold", { ids, all: true }],
    ["POST", "queue/delete", {}],
    ["POST", "queue/delete", { all: true }],
    ["POST", "queue/return", { state: "deferred" }],
    ["POST", "queue/return", { ids, dry: true }],
    ["GET", "held?account=anna"],
    ["POST", "held/anna/release"],
    ["POST", "held/anna@example.org/drop", { bounce: 1 }],
    ["POST", "greylist/pauses", { recipient: HOSTILE }],
    ["POST", "greylist/pauses", { recipient: "anna@example.org", for: "permanent" }],
    ["DELETE", "greylist/pauses/anna"],
    ["POST", "spam/senders", { account: "anna@example.org", sender: "*" }],
    ["DELETE", "spam/senders?account=anna@example.org"],
  ] as readonly (readonly [string, string, unknown?])[])
    assert.partialDeepStrictEqual(
      await kit.send(method, path, body),
      { status: 400, answer: { code: "invalid_request" } },
      `${method} ${path} ${JSON.stringify(body)}`,
    );
  assert.equal(kit.guard.asked.length, before);
});

test("a body of many kilobytes is not read", async (t) => {
  const kit = await startKit(t);
  const large = { sender: "<b>".repeat(4_000) };
  assert.partialDeepStrictEqual(await kit.send("POST", "queue/delete", large), { status: 413 });
});

test("a caller without the right to read sees no mail, and the guard's refusals are passed on", async (t) => {
  const kit = await startKit(t);
  const said = { ok: false, kind: "failed", message: "This needs the password again.", next: "Give it." } as const;
  kit.guard.replies.set("queue_delete", { ...said, denied: "proof_needed" });
  assert.partialDeepStrictEqual(await kit.send("POST", "queue/delete", { ids }), {
    status: 403,
    answer: { code: "proof_needed", next: "Give it." },
  });
  kit.guard.replies.set("queue_hold", said);
  assert.partialDeepStrictEqual(await kit.send("POST", "queue/hold", { ids }), { status: 409 });
  kit.guard.callers.set(AS_TOKEN.as, tokenNamed("ci", ["queue", "greylist"]));
  kit.advance(60_000);
  for (const path of ["queue", "held", "greylist/pauses", "greylist/waiting", "spam", "spam/senders"])
    assert.partialDeepStrictEqual(await kit.send("GET", path), { status: 403, answer: { code: "not_allowed" } }, path);
  const wrong = await kit.send("GET", "held/anna@example.org/release");
  assert.equal(wrong.status, 405);
});

function page(field: string, ...items: readonly object[]) {
  return { [field]: items, next: null, total: items.length };
}
