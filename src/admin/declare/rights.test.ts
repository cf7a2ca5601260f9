import assert from "node:assert/strict";
import { test } from "node:test";
import { parseIp } from "../../core/net/ip.ts";
import { actorFrom, actorOf, mayAsk, needOf } from "./rights.ts";

test("a socket has the verbs that list it, and its callers need what the verb says", () => {
  assert.ok(mayAsk("root", "break_glass") && !mayAsk("web", "break_glass"));
  assert.ok(mayAsk("web", "ban") && mayAsk("root", "ban"));
  assert.ok(!mayAsk("root", "sign_in"), "only the web has sign-ins");
  assert.deepEqual(needOf("health"), { needs: "nothing", proof: false });
  assert.deepEqual(needOf("ban"), { needs: "ban", proof: false });
  assert.deepEqual(needOf("token_create"), { needs: "admin", proof: true });
});

test("the web names no actor: the guard does, by the caller that it found", () => {
  assert.equal(actorFrom("root", "root"), "root");
  assert.equal(actorFrom("web", "root"), "web:unnamed");
  const ip = parseIp("203.0.113.7") ?? assert.fail();
  const actor = (how: "session" | "token", name: string, account: string | null = null) =>
    actorOf({ how, name, account }, ip);
  assert.equal(actor("session", "admin"), "web:admin via 203.0.113.7");
  assert.equal(actor("token", "ci"), "web:token ci via 203.0.113.7");
  const user = "anna@example.org";
  assert.equal(actor("session", user, user), "mailbox:anna@example.org via 203.0.113.7");
});
