import assert from "node:assert/strict";
import { test } from "node:test";
import { PARTLY_STOPPED } from "../../admin/declare/items.ts";
import { alertText, isAlertCode } from "../../core/alerts/alerts.ts";
import { instant } from "../../core/time.ts";
import type { Alert } from "../alerts/ports.ts";
import { headlineOf, type Needs, needsYou } from "./needs-you.ts";

const at = instant(Date.UTC(2026, 0, 1));
const SINCE = "2026-01-01T00:00:00.000Z";
const ANNA = "anna@example.org";

function alert(code: Alert["code"], subject = "", detail = ""): Alert {
  return { code, subject, detail, openedAt: at, lastAt: at, resolvedAt: null };
}

function tasks(needs: Partial<Needs>) {
  return needsYou({ notices: [], alerts: [], held: [], isSuspended: () => false, checks: null, ...needs });
}

test("what stops some of the mail or the sign-ins is critical, except an isolation, which the owner chose", () => {
  const isMild = (code: string): boolean => isAlertCode(code) && alertText(code).severity !== "critical";
  assert.deepEqual(PARTLY_STOPPED.filter(isMild), ["isolated"]);
});

test("nothing needs the owner without a notice, alert, held mail or missing record", () => {
  assert.deepEqual(tasks({ checks: { at: SINCE, checks: [{ id: "dns.mx", state: "ok", passedAt: SINCE }] } }), []);
  const notice = { code: "disk_full", since: SINCE, says: "Mail is refused now.", next: "Free space." } as const;
  const shown = (detail: string) => tasks({ notices: [{ ...notice, detail }] });
  const task = { kind: "notice", code: "disk_full", since: SINCE, action: "Free space.", account: null };
  assert.deepEqual(shown("0 MB"), [{ ...task, says: "Mail is refused now. 0 MB" }]);
  assert.deepEqual(shown(""), [{ ...task, says: "Mail is refused now." }]);
  const missing = (...ids: readonly string[]) => {
    const checks = ids.map((id) => ({ id, state: "wrong", passedAt: null }) as const);
    return tasks({ checks: { at: SINCE, checks } }).map(({ kind, says }) => `${kind} ${says}`);
  };
  assert.deepEqual(missing("dns.spf"), ["dns DNS records are missing or wrong: dns.spf."]);
  assert.deepEqual(missing("dns.address"), ["dns DNS records are missing or wrong: dns.address."]);
  const both = ["dns DNS records are missing or wrong: dns.mx, dns.spf."];
  assert.deepEqual(missing("dns.mx", "dns.spf", "ports.open"), both);
});

test("outgoing mail that never left is a task, and the headline", () => {
  const checks = (state: "ok" | "wrong") =>
    tasks({ checks: { at: SINCE, checks: [{ id: "reputation.port-25-out", state, passedAt: null }] } });
  assert.deepEqual(checks("ok"), []);
  const needed = checks("wrong");
  const says = "When last checked, mail to other servers could not leave.";
  assert.partialDeepStrictEqual(needed, [{ kind: "notice", code: "outgoing_blocked", since: null, says }]);
  assert.equal(needed.length, 1);
  const health = { status: "ok", components: [], notices: [], needsYou: needed, uptimeSeconds: 1 } as const;
  assert.equal(headlineOf(health), "outgoing_blocked");
});

test("a hijacked account with held mail is one task, with its commands; after a suspension the mail still waits", () => {
  const held = [{ account: ANNA, mails: 3, since: SINCE }];
  const alerts = [alert("account_held", ANNA), alert("password_guessed", ANNA, "from 203.0.113.7")];
  const found = tasks({ held, alerts });
  const kinds = found.map(({ kind, code }) => `${kind} ${code}`);
  assert.deepEqual(kinds, ["held_mail mail_held", "alert password_guessed"]);
  assert.match(found[0]?.says ?? "", /^3 mails of anna@example\.org are held/);
  assert.match(found[0]?.action ?? "", /`account held anna@example\.org`/);
  assert.equal(tasks({ alerts: [alert("account_held", ANNA)] })[0]?.kind, "held_mail", "before the first mail too");
  const [waits] = tasks({ held, isSuspended: () => true });
  assert.equal(waits?.code, "suspended_mail_waits");
  assert.match(waits?.action ?? "", /`account drop anna@example\.org`/);
});

test("lists the first of many accounts with held mail, and counts the others", () => {
  const held = Array.from({ length: 23 }, (_, i) => ({ account: `user${i}@example.org`, mails: 1, since: SINCE }));
  const found = tasks({ held });
  assert.equal(found.length, 21);
  assert.match(found[0]?.says ?? "", /^1 mail of user0@example\.org is held/);
  assert.equal(tasks({ held: held.slice(0, 20) }).length, 20);
  assert.equal(found.at(-1)?.says, "Mail of 3 further accounts is held.");
});

test("an alert names its account once", () => {
  const says = (detail: string) => tasks({ alerts: [alert("password_guessed", ANNA, detail)] })[0]?.says ?? "";
  assert.match(says(`${ANNA} signed in`), /\. anna@example\.org signed in$/);
  assert.match(says("4 passwords"), /\. anna@example\.org: 4 passwords$/);
  assert.match(says(""), /\. anna@example\.org$/);
});

test("an alert about an account names it, and its commands can be copied", () => {
  const [about] = tasks({ alerts: [alert("password_guessed", ANNA)] });
  assert.equal(about?.account, ANNA);
  assert.match(about?.action ?? "", /`account passwd anna@example\.org`/);
  const [hostile] = tasks({ alerts: [alert("password_guessed", "$(reboot)@example.org")] });
  assert.equal(hostile?.account, null);
  assert.match(hostile?.action ?? "", /`account passwd ADDRESS`/);
});

test("lists the first of many alerts about the same subject, and counts the others", () => {
  const guessed = Array.from({ length: 100 }, (_, i) => alert("password_guessed", `user${i}@example.org`));
  const found = tasks({ alerts: [...guessed, alert("unusual_connections")] });
  assert.equal(found.length, 5);
  assert.match(found[3]?.says ?? "", /^97 further alerts like this: /);
  assert.equal(found[4]?.code, "unusual_connections");
  for (const count of [3, 4]) assert.equal(tasks({ alerts: guessed.slice(0, count) }).length, count);
});

test("a change from a network that the owner does not use needs the owner", () =>
  assert.equal(tasks({ alerts: [alert("web_new_network", ANNA)] })[0]?.code, "web_new_network"));

test("an alert about a notice is not counted twice, and informational alerts are not counted", () => {
  const alerts = [alert("disk_full"), alert("login_new_place", ANNA), alert("web_account", ANNA)];
  assert.deepEqual(tasks({ alerts }), []);
});

test("the headline is the worst of what is wrong; a full disk comes before the parts that it stops, and stopped mail before what runs badly", () => {
  const part = (name: string, status: "ok" | "degraded" | "down") => ({ name, status, detail: "" });
  const task = (code: string) => ({ kind: "notice", code, since: null, says: "", action: "", account: null }) as const;
  const [well, stopped] = [[part("guard", "ok")], [part("postfix", "down")]];
  const full = [...well, part("database", "degraded")];
  const stops = ["isolated", "ports_blocked", "sign_ins_blocked", "certificate_expired", "relay_refuses"];
  const cases: readonly (readonly [string, "ok" | "down", readonly ReturnType<typeof part>[], ...string[]])[] = [
    ["guard_down", "down", [part("guard", "down")], "guard_down"],
    ["disk_full", "down", stopped, "disk_full"],
    ["down", "down", stopped, "component_down"],
    ["disk_full", "ok", full, "mail_held", "disk_full"],
    ["down", "down", stopped, "ports_blocked"],
    ...stops.map((code) => [code, "ok", full, "mail_held", code] as const),
    ["degraded", "ok", full, "mail_held"],
    ["tasks", "ok", well, "mail_held"],
    ["well", "ok", well],
  ];
  for (const [headline, status, components, ...codes] of cases) {
    const health = { status, components, notices: [], needsYou: codes.map(task), uptimeSeconds: 1 };
    assert.equal(headlineOf(health), headline, `${status} ${codes.join()}`);
  }
});
