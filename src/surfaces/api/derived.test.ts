import assert from "node:assert/strict";
import { test } from "node:test";
import { apiKitOf, bearer, signIn } from "../../../test/kit/api-kit.ts";
import { parsedCommandOf } from "../../../test/kit/commands.ts";
import { AS_TOKEN, FakeGuard } from "../../../test/kit/fake-guard.ts";
import type { Command } from "../../admin/declare/control.ts";
import type { GuardPort } from "./ports.ts";
import { sendToGuard } from "./route.ts";

const kit = apiKitOf(import.meta.filename);

function unban(guard: GuardPort): Promise<string | Response> {
  const asked = { verb: "unban", target: "203.0.113.7" } as const;
  return sendToGuard(guard, { asker: AS_TOKEN, isDry: false }, asked, ({ prefix }) => prefix);
}

test("each kind of answer of the guard has its own status and keeps the guard's words", async () => {
  const guard = new FakeGuard();
  const refusal = async (): Promise<unknown> => {
    const answer = await unban(guard);
    return answer instanceof Response ? [answer.status, await answer.json()] : answer;
  };
  guard.answers("unban", { prefix: "203.0.113.7/32" });
  assert.equal(await refusal(), "203.0.113.7/32");
  for (const [more, status, code] of [
    [{ kind: "usage" }, 400, "invalid_request"],
    [{}, 409, "refused"],
    [{ isMissing: true }, 404, "not_found"],
    [{ denied: "unauthorized" }, 401, "unauthorized"],
    [{ denied: "not_allowed" }, 403, "not_allowed"],
    [{ denied: "proof_needed" }, 403, "proof_needed"],
  ] as const) {
    guard.refuses("unban", "No.", more);
    const detail = status === 401 ? "A session or a token is needed." : "No.";
    assert.partialDeepStrictEqual(await refusal(), [status, { status, code, detail }], JSON.stringify(more));
  }
  guard.isDown = true;
  assert.partialDeepStrictEqual(await refusal(), [503]);
});

const ANNA = "anna@example.org";
const BERT = "bert@example.org";
const ALIAS = { address: "info@example.org" };
const HOSTILE = "<img src=x onerror=alert(1)>\u202e";
const MAIL = { queueId: "4Wxyz12AbCz1", sender: ANNA, recipients: [{ address: `"${HOSTILE}"@example.net` }] };
const CHANGED = { changed: 2, kept: [{ account: BERT, mails: 1 }], next: null };
const PAUSE = { target: ANNA, until: "2026-11-20T07:00:00.000Z", by: "root" };
const SENDER = { account: ANNA, sender: "*@friend.example" };
const ids = ["4Wxyz12AbCz1"];
const ANY = { ids: [], account: null, sender: null, recipient: null, cursor: null } as const;

const BOUNCES = { sender: "", state: "deferred" } as const;
const SECOND = { limit: 7, cursor: "c" };
const PAUSED = { recipient: ANNA, for: "2h" };
const HOME = { networks: ["203.0.113.0/24"] };
const MAC = { name: ANNA, app: "Big Mac" };
const NO_QUOTA = { quotaBytes: null };
const NETWORKS = { networks: ["2001:db8::/32"] };
const NEW_WORDS = { password: "quite new words" };
const PASSKEY = { id: "cGFzc2tleQ", clientData: "e30", authenticatorData: "AAAA", publicKey: "MFkw", name: "Laptop" };
const FORWARDING = { to: ["anna@else.example"], keep: false };
const LONG = { subject: "", text: "üüüü\n".repeat(1_000).trim(), until: null };

function page(field: string, ...items: readonly object[]) {
  return { [field]: items, next: null, total: items.length };
}

/** What the guard is asked, and its result. The answer is that result with status 200, unless given. */
type Row = readonly [line: string, asked: Command, result: object, more?: More];
type More = Readonly<{ sent?: object; answer?: object; status?: number }>;
/** The name in the body is the app's, one in the path the account's. */
const PHONE_ADDED = [
  { verb: "app_password_add", name: ANNA, app: "phone" },
  { name: ANNA, app: "phone", password: "once" },
  { sent: { name: "phone" }, answer: { id: "phone", name: "phone", password: "once" }, status: 201 },
] as const;

/** One route for each way in which a form may differ from its verb. The lab tests every route. */
const ROWS: readonly Row[] = [
  ["GET queue", { verb: "queue_list", ...ANY, limit: 50 }, page("items", MAIL)],
  [
    "GET queue?sender=&recipient=bob@example.net&state=hold&limit=7&cursor=c",
    { verb: "queue_list", ...ANY, sender: "", recipient: "bob@example.net", state: "hold", ...SECOND },
    page("items"),
  ],
  ["POST queue/hold", { verb: "queue_hold", ...ANY, ids, isAll: false }, CHANGED, { sent: { ids } }],
  ["POST queue/release", { verb: "queue_release", ...ANY, isAll: true }, CHANGED, { sent: { all: true } }],
  ["POST queue/delete", { verb: "queue_delete", ...ANY, ...BOUNCES, isAll: false }, CHANGED, { sent: BOUNCES }],
  [`GET held?account=${ANNA}`, { verb: "held_list", name: ANNA }, { accounts: [] }],
  [
    "POST held/anna%40example.org/drop",
    { verb: "held_drop", name: ANNA, isReturned: true, ids },
    { name: ANNA, dropped: 1 },
    { sent: { ids, bounce: true } },
  ],
  ["POST greylist/pauses", { verb: "greylist_pause", ...PAUSED }, PAUSE, { sent: PAUSED, status: 201 }],
  [`DELETE spam/senders?account=${ANNA}&sender=${SENDER.sender}`, { verb: "spam_allow_remove", ...SENDER }, SENDER],
  [`POST aliases/${ALIAS.address}/block`, { verb: "alias_block", ...ALIAS, blocked: true }, ALIAS],
  [`POST aliases/${ALIAS.address}/unblock`, { verb: "alias_block", ...ALIAS, blocked: false }, ALIAS, { sent: {} }],
  ["GET accounts?text=ann&limit=7&cursor=c", { verb: "account_list", text: "ann", ...SECOND }, page("items")],
  ["GET accounts", { verb: "account_list", text: null, limit: 50, cursor: null }, page("items", { name: ANNA })],
  [`PUT accounts/${ANNA}/quota`, { verb: "quota_set", name: ANNA, ...NO_QUOTA }, NO_QUOTA, { sent: NO_QUOTA }],
  [`POST accounts/${ANNA}/networks`, { verb: "networks_add", name: ANNA, ...NETWORKS }, NETWORKS, { sent: NETWORKS }],
  [`DELETE accounts/${ANNA}/networks/203.0.113.0/24`, { verb: "networks_remove", name: ANNA, ...HOME }, NETWORKS],
  [`POST accounts/${ANNA}/app-passwords`, ...PHONE_ADDED],
  ["GET audit?cursor=7", { verb: "audit_list", limit: 50, cursor: "7" }, page("items")],
  ["POST alerts/test", { verb: "alerts_test" }, { results: [{ channel: "ntfy", ok: false, detail: "503" }] }],
];

const OF_SESSIONS: readonly Row[] = [
  ["POST factors/totp", { verb: "totp_begin" }, { secret: "GEZDGNBV", uri: "otpauth://totp/x" }],
  ["POST factors/passkeys/confirm", { verb: "passkey_add", ...PASSKEY }, { name: "x" }, { sent: PASSKEY, status: 201 }],
];

const OF_USERS: readonly Row[] = [
  ["GET me/app-passwords", { verb: "app_passwords", name: ANNA }, { items: [{ id: "Annas Laptop" }] }],
  ["POST me/app-passwords", ...PHONE_ADDED],
  ["DELETE me/app-passwords/Big%20Mac", { verb: "app_password_remove", ...MAC }, MAC, { answer: { id: MAC.app } }],
  ["PUT me/forwarding", { verb: "forward_set", name: ANNA, ...FORWARDING }, { name: ANNA }, { sent: FORWARDING }],
  ["DELETE me/forwarding", { verb: "forward_set", name: ANNA, to: [], keep: true }, { name: ANNA }],
  ["PUT me/vacation", { verb: "vacation_set", name: ANNA, ...LONG }, { name: ANNA }, { sent: { text: LONG.text } }],
  ["POST me/password", { verb: "my_password", ...NEW_WORDS }, { done: true }, { sent: NEW_WORDS }],
  ["POST me/senders", { verb: "spam_allow_add", ...SENDER }, SENDER, { sent: { sender: SENDER.sender }, status: 201 }],
  [`DELETE me/senders?sender=${SENDER.sender}`, { verb: "spam_allow_remove", ...SENDER }, SENDER],
  ["POST me/greylist-pause", { verb: "greylist_pause", recipient: ANNA, for: null }, PAUSE, { sent: {} }],
  ["DELETE me/greylist-pause", { verb: "greylist_resume", recipient: ANNA }, PAUSE, { answer: { done: true } }],
];

for (const [who, rows, account] of [
  ["a token", ROWS, null],
  ["the owner's session", OF_SESSIONS, undefined],
  ["a user's session", OF_USERS, ANNA],
] as const)
  test(`each route asks the guard on behalf of its caller, and returns its answer: ${who}`, async () => {
    const headers = account === null ? bearer : { cookie: await signIn(kit, account) };
    for (const [line, asked, result, { sent, answer = result, status = 200 } = {}] of rows) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the guard's own results
      kit.guard.replies.set(asked.verb, { ok: true, result } as never);
      const [method = "", path = ""] = line.split(" ");
      assert.deepEqual(await kit.send(method, path, sent, headers), { status, answer }, line);
      const { asker, command: got } = kit.guard.asked.at(-1) ?? assert.fail(line);
      assert.deepEqual(parsedCommandOf(got), asked, line);
      if (account === null) assert.deepEqual(asker, AS_TOKEN, line);
    }
    assert.deepEqual(kit.problems, []);
  });

/** Invalid values of each kind, no choice, and all mail where that is not allowed. */
const REFUSED: readonly (readonly [line: string, body?: unknown])[] = [
  ["GET queue?state=gone"],
  ["GET queue?recipient=bob"],
  [`GET queue?sender=${"a".repeat(321)}`],
  ["GET queue?limit=0"],
  ["POST queue/hold", { state: "deferred" }],
  ["POST queue/hold", { ids: [] }],
  ["POST queue/hold", { ids: ["../x"] }],
  ["POST queue/hold", { ids: Array.from({ length: 101 }, () => "ABCDE1") }],
  ["POST queue/hold", { ids, all: true }],
  ["POST queue/delete", {}],
  ["POST queue/delete", { all: true }],
  ["POST queue/delete", { recipient: ANNA, account: null }],
  ["POST queue/release", { all: true, sender: null }],
  ["GET held?account=anna"],
  [`POST held/${ANNA}/drop`, { bounce: 1 }],
  ["POST greylist/pauses", { recipient: ANNA, for: "permanent" }],
  ["DELETE greylist/pauses/anna"],
  ["POST spam/senders", { account: ANNA, sender: "*" }],
  [`DELETE spam/senders?account=${ANNA}`],
  ["GET accounts?limit=101"],
  [`GET accounts?text=${"x".repeat(201)}`],
  ["POST accounts", { name: "anna+x@example.org" }],
  ["POST accounts", { name: ANNA, hash: "{SSHA}x" }],
  ["POST accounts", { name: ANNA, password: "" }],
  ["POST accounts", { name: ANNA, password: null }],
  [`POST accounts/${ANNA}/password`, { password: "x".repeat(600) }],
  [`PUT accounts/${ANNA}/quota`, { quotaBytes: -1 }],
  ["GET audit?cursor=x"],
  [`GET dns?domain=${"x".repeat(254)}`],
  ["DELETE sessions/nonsense"],
  [`POST accounts/${ANNA}/suspend`, { dry_run: true }],
  ["POST alerts/test", ["ntfy"]],
  [`DELETE accounts/${ANNA}/networks/203.0.113.0/24`, { networks: ["198.51.100.0/24"] }],
];

/** Users of mailboxes never name an account. */
const REFUSED_TO_USERS: typeof REFUSED = [
  ...OF_USERS.flatMap(([line, , , { sent } = {}]) =>
    sent === undefined ? [] : [[line, { ...sent, account: BERT }] as const],
  ),
  [`DELETE me/senders?sender=${SENDER.sender}&account=${BERT}`],
  ["POST me/greylist-pause", { recipient: BERT }],
  ["PUT me/forwarding", { ...FORWARDING, name: BERT }],
  ["PUT me/vacation", { text: LONG.text, name: BERT }],
  ["POST me/app-passwords", {}],
  ["POST me/app-passwords", { name: "x".repeat(41) }],
  ["PUT me/forwarding", { to: [], keep: true }],
  ["PUT me/vacation", { text: null }],
];

test("a wrong request is refused before the guard is asked", async () => {
  const user = { cookie: await signIn(kit, ANNA) };
  const before = kit.guard.asked.length;
  for (const [rows, headers] of [
    [REFUSED, bearer],
    [REFUSED_TO_USERS, user],
  ] as const)
    for (const [line, body] of rows) {
      const [method = "", path = ""] = line.split(" ");
      const { status, answer } = await kit.send(method, path, body, headers);
      assert.equal(status, 400, `${line} ${JSON.stringify(body)}`);
      assert.partialDeepStrictEqual(answer, { code: "invalid_request" });
    }
  assert.equal(kit.guard.asked.length, before);
});
