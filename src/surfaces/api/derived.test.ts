import assert from "node:assert/strict";
import { test } from "node:test";
import { bearer, signIn, startKit } from "../../../test/kit/api-kit.ts";
import { parsedCommandOf } from "../../../test/kit/commands.ts";
import { ACCOUNT, AS_TOKEN, FakeGuard } from "../../../test/kit/fake-guard.ts";
import { CHECKS, ENCRYPTION, FAIL2BAN, FIREWALL, INCIDENTS, RETENTION } from "../../../test/kit/keeper-reports.ts";
import { CERTIFICATE, DNS } from "../../../test/kit/upkeep-kit.ts";
import type { Command } from "../../admin/declare/control.ts";
import { sendToGuard } from "./derived.ts";
import { Uncertain } from "./problem.ts";

test("each kind of answer of the guard becomes its own status", async () => {
  const guard = new FakeGuard();
  const status = async (): Promise<unknown> => {
    const answer = await sendToGuard(
      guard,
      { asker: AS_TOKEN, isDry: false },
      { verb: "unban", target: "203.0.113.7" },
      ({ prefix }) => prefix,
    );
    return answer instanceof Response ? answer.status : answer;
  };
  guard.answers("unban", { prefix: "203.0.113.7/32" });
  assert.equal(await status(), "203.0.113.7/32");
  for (const [more, expected] of [
    [{ kind: "usage" }, 400],
    [{}, 409],
    [{ isMissing: true }, 404],
    [{ denied: "unauthorized" }, 401],
    [{ denied: "not_allowed" }, 403],
    [{ denied: "proof_needed" }, 403],
  ] as const) {
    guard.refuses("unban", "No.", more);
    assert.equal(await status(), expected, JSON.stringify(more));
  }
  guard.isDown = true;
  assert.equal(await status(), 503);
});

test("a guard that took the command and did not answer may have carried it out", async () => {
  const silent = { ok: false, kind: "unreachable", message: "late", mayBeDone: true } as const;
  const guard = { ask: () => Promise.resolve(silent) };
  const answer = await sendToGuard(
    guard,
    { asker: AS_TOKEN, isDry: false },
    { verb: "unban", target: "203.0.113.7" },
    ({ prefix }) => prefix,
  );
  assert.ok(answer instanceof Uncertain);
  assert.equal(answer.status, 503);
});

test("a command that may have been carried out although it failed counts as uncertain", async () => {
  const unflushed = { ok: false, kind: "failed", message: "m", next: "n", mayBeDone: true } as const;
  const answer = await sendToGuard(
    { ask: () => Promise.resolve(unflushed) },
    { asker: AS_TOKEN, isDry: false },
    { verb: "unban", target: "203.0.113.7" },
    ({ prefix }) => prefix,
  );
  assert.ok(answer instanceof Uncertain);
  assert.equal(answer.status, 409);
});

const AT = "2026-11-20T07:00:00.000Z";
const ANNA = "anna@example.org";
const INFO = "info@example.org";
const HOSTILE = "<img src=x onerror=alert(1)>\u202e";
const ID = "0a1b2c3d4e5f";
const MAIL = { queueId: "4Wxyz12AbCz1", sender: ANNA, recipients: [{ address: `"${HOSTILE}"@example.net` }] };
const CHANGED = { changed: 2, kept: [{ account: "bert@example.org", mails: 1 }], next: null };
const HELD = { accounts: [], held: [], heldTotal: 0, sent: [], sentTotal: 0 };
const PAUSE = { target: ANNA, until: AT, by: "root" };
const SENDER = { account: ANNA, sender: "*@friend.example" };
const ALIAS = { address: INFO, targets: [ANNA, "bert@example.net"] };
const ids = ["4Wxyz12AbCz1"];
const ANY = { ids: [], account: null, sender: null, recipient: null, cursor: null } as const;
const FIRST = { limit: 50, cursor: null };

const NO_QUOTA = { quotaBytes: null };
const NETWORKS = { networks: ["2001:db8::/32"] };
const NEW_WORDS = { password: "quite new words" };
const CODE = { code: "123 456" };
const PASSKEY = { id: "cGFzc2tleQ", clientData: "e30", authenticatorData: "AAAA", publicKey: "MFkw", name: "Laptop" };
const FORWARDING = { to: ["anna@else.example"], keep: false };
const VACATION = { subject: "Away", text: "Back on Monday.", until: "2099-12-24T00:00:00.000Z" };
const LONG = { subject: "", text: "ü".repeat(4_000), until: null };

function page(field: string, ...items: readonly object[]) {
  return { [field]: items, next: null, total: items.length };
}

/** The guard is asked this and has this result. The answer is the result with status 200, unless it says otherwise. */
type Row = readonly [line: string, asked: Command, result: object, more?: More];
type More = Readonly<{ sent?: object; answer?: object; status?: number }>;

const ROWS: readonly Row[] = [
  ["GET queue", { verb: "queue_list", ...ANY, limit: 50 }, page("mails", MAIL), { answer: page("items", MAIL) }],
  [
    "GET queue?sender=&recipient=bob@example.net&state=hold&limit=7&cursor=c",
    { verb: "queue_list", ...ANY, sender: "", recipient: "bob@example.net", state: "hold", limit: 7, cursor: "c" },
    page("mails"),
    { answer: page("items") },
  ],
  ["POST queue/hold", { verb: "queue_hold", ...ANY, ids, isAll: false }, CHANGED, { sent: { ids } }],
  ["POST queue/release", { verb: "queue_release", ...ANY, isAll: true }, CHANGED, { sent: { all: true } }],
  [
    "POST queue/flush",
    { verb: "queue_flush", ...ANY, account: ANNA, isAll: false, cursor: "c" },
    CHANGED,
    { sent: { account: ANNA, cursor: "c" } },
  ],
  [
    "POST queue/delete",
    { verb: "queue_delete", ...ANY, sender: "", state: "deferred", isAll: false },
    CHANGED,
    { sent: { sender: "", state: "deferred" } },
  ],
  ["POST queue/return", { verb: "queue_return", ...ANY, ids, isAll: false }, CHANGED, { sent: { ids } }],
  [`GET held?account=${ANNA}`, { verb: "held_list", name: ANNA }, HELD],
  [`POST held/${ANNA}/release`, { verb: "held_release", name: ANNA }, { name: ANNA, released: 3 }],
  [
    "POST held/anna%40example.org/drop",
    { verb: "held_drop", name: ANNA, isReturned: true, ids },
    { name: ANNA, dropped: 1 },
    { sent: { ids, bounce: true } },
  ],
  ["GET greylist/pauses", { verb: "greylist_list", ...FIRST }, page("items", PAUSE)],
  [
    "POST greylist/pauses",
    { verb: "greylist_pause", recipient: ANNA, for: "2h" },
    PAUSE,
    { sent: { recipient: ANNA, for: "2h" }, status: 201 },
  ],
  [`DELETE greylist/pauses/${ANNA}`, { verb: "greylist_resume", recipient: ANNA }, { target: ANNA }],
  ["GET spam/senders", { verb: "spam_allow_list", ...FIRST }, page("items", SENDER)],
  ["POST spam/senders", { verb: "spam_allow_add", ...SENDER }, SENDER, { sent: SENDER, status: 201 }],
  [`DELETE spam/senders?account=${ANNA}&sender=${SENDER.sender}`, { verb: "spam_allow_remove", ...SENDER }, SENDER],
  ["GET aliases?limit=1&text=info", { verb: "alias_list", limit: 1, cursor: null, text: "info" }, page("items")],
  ["POST aliases", { verb: "alias_add", ...ALIAS }, { address: INFO }, { sent: ALIAS, status: 201 }],
  [`POST aliases/${INFO}/block`, { verb: "alias_block", address: INFO, blocked: true }, { address: INFO }],
  [`POST aliases/${INFO}/unblock`, { verb: "alias_block", address: INFO, blocked: false }, { address: INFO }],
  [`DELETE aliases/${INFO}`, { verb: "alias_remove", address: INFO }, { address: INFO }],
  [
    "GET accounts?text=ann&limit=7&cursor=a",
    { verb: "account_list", text: "ann", limit: 7, cursor: "a" },
    page("items"),
  ],
  ["GET accounts", { verb: "account_list", text: null, ...FIRST }, page("items", ACCOUNT)],
  [`GET accounts/${ANNA}`, { verb: "account_details", name: ANNA }, ACCOUNT],
  [`POST accounts/${ANNA}/suspend`, { verb: "account_suspend", name: ANNA }, { name: ANNA, held: 2 }],
  [`POST accounts/${ANNA}/resume`, { verb: "account_resume", name: ANNA }, { name: ANNA, held: 2 }],
  [`PUT accounts/${ANNA}/quota`, { verb: "quota_set", name: ANNA, ...NO_QUOTA }, NO_QUOTA, { sent: NO_QUOTA }],
  [`POST accounts/${ANNA}/networks`, { verb: "networks_add", name: ANNA, ...NETWORKS }, NETWORKS, { sent: NETWORKS }],
  [
    `DELETE accounts/${ANNA}/networks/203.0.113.0/24`,
    { verb: "networks_remove", name: ANNA, networks: ["203.0.113.0/24"] },
    NETWORKS,
  ],
  [`DELETE accounts/${ANNA}`, { verb: "account_remove", name: ANNA }, { name: ANNA }],
  ["GET access?limit=1&text=an", { verb: "access_review", limit: 1, cursor: null, text: "an" }, page("items")],
  ["GET audit?limit=1", { verb: "audit_list", limit: 1, cursor: null }, page("items", { id: 7 })],
  ["GET audit?cursor=7", { verb: "audit_list", limit: 50, cursor: "7" }, page("items")],
  ["GET audit/verify", { verb: "audit_verify" }, { audit: { checkedAt: AT, fault: { id: 3 } } }],
  ["GET alerts?limit=1", { verb: "alerts_list", limit: 1, cursor: null }, page("items", { code: "disk_nearly_full" })],
  ["POST alerts/test", { verb: "alerts_test" }, { results: [{ channel: "ntfy", ok: false, detail: "503" }] }],
  ["GET upkeep", { verb: "upkeep" }, { items: [{ name: "drill" }] }],
  ["GET certificate", { verb: "certificate" }, CERTIFICATE],
  ["GET dns?domain=example.org", { verb: "dns_check", domain: "example.org" }, DNS],
  ["GET dns", { verb: "dns_check", domain: null }, DNS],
  ["GET incidents", { verb: "incident_list" }, INCIDENTS],
  ["GET firewall", { verb: "firewall" }, FIREWALL],
  ["GET checks", { verb: "checks" }, CHECKS],
  ["GET fail2ban", { verb: "fail2ban" }, FAIL2BAN],
  ["GET encryption", { verb: "encryption" }, ENCRYPTION],
  ["GET retention", { verb: "retention" }, RETENTION],
  ["GET sessions", { verb: "session_list", ...FIRST }, page("items", { id: ID, isOwn: true })],
  [`DELETE sessions/${ID}`, { verb: "session_end", id: ID }, { ended: 1 }],
  ["DELETE sessions", { verb: "session_end_all" }, { ended: 3 }],
  ["GET tokens", { verb: "token_list", ...FIRST }, page("items", { name: "ci" })],
  ["DELETE tokens/ci", { verb: "token_revoke", name: "ci" }, { name: "ci" }],
  ["GET factors", { verb: "factor_list" }, { totp: false, recoveryLeft: 0, passkeys: [] }],
  ["GET factors/passkeys", { verb: "passkey_list" }, { items: [PASSKEY] }],
];

const OF_SESSIONS: readonly Row[] = [
  ["POST factors/totp", { verb: "totp_begin" }, { secret: "GEZDGNBV", uri: "otpauth://totp/x" }],
  ["POST factors/totp/confirm", { verb: "totp_confirm", ...CODE }, { recoveryCodes: ["a"] }, { sent: CODE }],
  ["POST factors/recovery", { verb: "recovery_renew" }, { recoveryCodes: ["b"] }],
  ["DELETE factors/totp", { verb: "totp_remove" }, { done: true }],
  ["POST factors/passkeys", { verb: "passkey_begin" }, { challenge: "abc", known: [PASSKEY.id] }],
  ["POST factors/passkeys/confirm", { verb: "passkey_add", ...PASSKEY }, { name: "x" }, { sent: PASSKEY, status: 201 }],
  [`DELETE factors/passkeys/${PASSKEY.id}`, { verb: "passkey_remove", id: PASSKEY.id }, { name: "Laptop" }],
];

/** What the owner does for a mailbox, and its user for its own, below this path. */
const ofMailbox = (path: string): readonly Row[] => [
  [`GET ${path}/app-passwords`, { verb: "app_passwords", name: ANNA }, { items: [{ id: "Annas Laptop" }] }],
  [
    `POST ${path}/app-passwords`,
    { verb: "app_password_add", name: ANNA, app: "phone" },
    { name: ANNA, app: "phone", password: "once" },
    { sent: { name: "phone" }, answer: { id: "phone", name: "phone", password: "once" }, status: 201 },
  ],
  [
    `DELETE ${path}/app-passwords/Annas%20Laptop`,
    { verb: "app_password_remove", name: ANNA, app: "Annas Laptop" },
    { name: ANNA, app: "Annas Laptop" },
    { answer: { id: "Annas Laptop" } },
  ],
  [`GET ${path}/forwarding`, { verb: "forwarding", name: ANNA }, FORWARDING],
  [`PUT ${path}/forwarding`, { verb: "forward_set", name: ANNA, ...FORWARDING }, { name: ANNA }, { sent: FORWARDING }],
  [`DELETE ${path}/forwarding`, { verb: "forward_set", name: ANNA, to: [], keep: true }, { name: ANNA }],
  [`GET ${path}/vacation`, { verb: "vacation", name: ANNA }, { vacation: VACATION }],
  [`PUT ${path}/vacation`, { verb: "vacation_set", name: ANNA, ...VACATION }, { name: ANNA }, { sent: VACATION }],
  [
    `PUT ${path}/vacation`,
    { verb: "vacation_set", name: ANNA, ...LONG },
    { name: ANNA },
    { sent: { text: LONG.text } },
  ],
  [`DELETE ${path}/vacation`, { verb: "vacation_set", name: ANNA, ...LONG, text: null }, { name: ANNA }],
];

const OF_USERS: readonly Row[] = [
  ...ofMailbox("me"),
  ["POST me/password", { verb: "my_password", ...NEW_WORDS }, { done: true }, { sent: NEW_WORDS }],
  ["DELETE me/sessions", { verb: "my_sessions_end" }, { ended: 2 }],
  ["POST me/senders", { verb: "spam_allow_add", ...SENDER }, SENDER, { sent: { sender: SENDER.sender }, status: 201 }],
  [`DELETE me/senders?sender=${SENDER.sender}`, { verb: "spam_allow_remove", ...SENDER }, SENDER],
  ["POST me/greylist-pause", { verb: "greylist_pause", recipient: ANNA, for: "15m" }, PAUSE, { sent: { for: "15m" } }],
  ["POST me/greylist-pause", { verb: "greylist_pause", recipient: ANNA, for: null }, PAUSE, { sent: {} }],
  [
    "DELETE me/greylist-pause",
    { verb: "greylist_resume", recipient: ANNA },
    { target: ANNA },
    { answer: { done: true } },
  ],
];

for (const [who, rows, account] of [
  ["a token", [...ROWS, ...ofMailbox(`accounts/${ANNA}`)], null],
  ["the owner's session", OF_SESSIONS, undefined],
  ["a user's session", OF_USERS, ANNA],
] as const)
  test(`each route asks the guard as its caller, and answers what the guard says: ${who}`, async (t) => {
    const kit = await startKit(t);
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

/** Nonsense, no choice, and all mail where it may not be meant. */
const REFUSED: readonly (readonly [line: string, body?: unknown])[] = [
  ["GET queue?state=gone"],
  ["GET queue?recipient=bob"],
  [`GET queue?sender=${"a".repeat(321)}`],
  ["GET queue?limit=0"],
  ["POST queue/hold", {}],
  ["POST queue/hold", { state: "deferred" }],
  ["POST queue/hold", { ids: [] }],
  ["POST queue/hold", { ids: ["../x"] }],
  ["POST queue/hold", { ids: Array.from({ length: 101 }, () => "ABCDE1") }],
  ["POST queue/hold", { ids, all: true }],
  ["POST queue/delete", {}],
  ["POST queue/delete", { all: true }],
  ["POST queue/return", { state: "deferred" }],
  ["POST queue/return", { ids, dry: true }],
  ["GET held?account=anna"],
  ["POST held/anna/release"],
  [`POST held/${ANNA}/drop`, { bounce: 1 }],
  ["POST greylist/pauses", { recipient: HOSTILE }],
  ["POST greylist/pauses", { recipient: ANNA, for: "permanent" }],
  ["DELETE greylist/pauses/anna"],
  ["POST spam/senders", { account: ANNA, sender: "*" }],
  [`DELETE spam/senders?account=${ANNA}`],
  ["POST aliases", { ...ALIAS, targets: [] }],
  ["POST aliases", { ...ALIAS, targets: ["nonsense"] }],
  ["POST aliases", { ...ALIAS, address: "@example.org" }],
  ["POST aliases", { ...ALIAS, more: 1 }],
  ["GET accounts?limit=0"],
  ["GET accounts?limit=101"],
  [`GET accounts?text=${"x".repeat(201)}`],
  ["GET accounts/nonsense"],
  ["POST accounts", { name: `<b>${"x".repeat(3_000)}` }],
  ["POST accounts", { name: "anna+x@example.org" }],
  ["POST accounts", { name: ANNA, hash: "{SSHA}x" }],
  ["POST accounts", { name: ANNA, password: "" }],
  ["POST accounts", { name: ANNA, password: null }],
  [`POST accounts/${ANNA}/password`, { password: "x".repeat(600) }],
  [`PUT accounts/${ANNA}/quota`, { quotaBytes: -1 }],
  [`PUT accounts/${ANNA}/quota`, {}],
  [`POST accounts/${ANNA}/networks`, { networks: ["0.0.0.0/0"] }],
  [`POST accounts/${ANNA}/networks`, { networks: [] }],
  ["GET access?limit=101"],
  ["GET audit?cursor=x"],
  ["GET audit?actor=root"],
  [`GET dns?domain=${"x".repeat(254)}`],
  ["DELETE sessions/nonsense"],
];

/** No request of a user names an account. */
const REFUSED_TO_USERS: typeof REFUSED = [
  ["POST me/password", { ...NEW_WORDS, account: "bert@example.org" }],
  ["POST me/senders", { sender: SENDER.sender, account: "bert@example.org" }],
  ["POST me/senders", { sender: "friend.example" }],
  [`DELETE me/senders?sender=${SENDER.sender}&account=bert@example.org`],
  ["POST me/greylist-pause", { for: "soon" }],
  ["POST me/greylist-pause", { recipient: "bert@example.org" }],
];

const refusedOfMailbox = (path: string): typeof REFUSED => [
  [`POST ${path}/app-passwords`, {}],
  [`POST ${path}/app-passwords`, { name: "x".repeat(41) }],
  [`POST ${path}/app-passwords`, { name: "phone", account: "bert@example.org" }],
  [`PUT ${path}/forwarding`, {}],
  [`PUT ${path}/forwarding`, { to: [], keep: true }],
  [`PUT ${path}/forwarding`, { ...FORWARDING, account: "bert@example.org" }],
  [`PUT ${path}/vacation`, {}],
  [`PUT ${path}/vacation`, { text: "" }],
  [`PUT ${path}/vacation`, { text: null }],
  [`PUT ${path}/vacation`, { text: "x".repeat(8_001) }],
  [`PUT ${path}/vacation`, { ...VACATION, account: "bert@example.org" }],
];

test("what is wrong is refused before the guard is asked", async (t) => {
  const kit = await startKit(t);
  const user = { cookie: await signIn(kit, ANNA) };
  const before = kit.guard.asked.length;
  for (const [rows, headers] of [
    [[...REFUSED, ...refusedOfMailbox(`accounts/${ANNA}`)], bearer],
    [[...REFUSED_TO_USERS, ...refusedOfMailbox("me")], user],
  ] as const)
    for (const [line, body] of rows) {
      const [method = "", path = ""] = line.split(" ");
      const { status, answer } = await kit.send(method, path, body, headers);
      assert.equal(status, 400, `${line} ${JSON.stringify(body)}`);
      assert.partialDeepStrictEqual(answer, { code: "invalid_request" });
    }
  assert.partialDeepStrictEqual(await kit.send("POST", "queue/delete", { sender: "<b>".repeat(4_000) }), {
    status: 413,
  });
  assert.equal(kit.guard.asked.length, before);
});
