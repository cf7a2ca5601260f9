import assert from "node:assert/strict";
import { test } from "node:test";
import { bearer, signIn, startKit } from "../../../test/kit/api-kit.ts";
import { MAILBOX } from "../../../test/kit/fake-guard.ts";
import { needOf } from "../../wire/control/rights.ts";
import { createHandlers } from "./handlers.ts";
import { mailbox } from "./me-schemas.ts";
import { routes } from "./routes.ts";

const ANNA = "anna@example.org";

test("the user of a mailbox sees that mailbox", async (t) => {
  const kit = await startKit(t);
  const cookie = await signIn(kit, ANNA);
  assert.deepEqual(kit.guard.of("sign_in_mailbox"), [
    {
      verb: "sign_in_mailbox",
      ip: "127.0.0.1",
      account: ANNA,
      password: "correct horse battery",
      device: "unknown device",
    },
  ]);
  const asked = await fetch(`${kit.url}/api/v1/me`, { headers: { cookie } });
  assert.equal(asked.status, 200);
  const seen: unknown = await asked.json();
  assert.deepEqual(seen, MAILBOX);
  assert.ok(mailbox.safeParse(seen).success);
  const session = await fetch(`${kit.url}/api/v1/session`, { headers: { cookie } });
  const who = { name: ANNA, role: "mailbox", account: ANNA, scopes: [], freshUntil: null };
  assert.deepEqual(await session.json(), who);
});

test("every route that is not of mailboxes is shut to their users, but for what each session needs", async (t) => {
  const kit = await startKit(t);
  const cookie = await signIn(kit, ANNA);
  const table = routes(createHandlers(kit.parts)).filter(({ who }) => who !== "anyone");
  const open: string[] = [];
  for (const { method, path, asks, needs } of table) {
    if (needs === "mailbox") continue;
    const each = asks !== undefined && needOf(asks).needs === "caller";
    const url = `${kit.url}${path.replaceAll(/\{\w+\}/g, "203.0.113.7")}`;
    if (each) open.push(`${method} ${path}`);
    else {
      const { status } = await fetch(url, { method, headers: { cookie } });
      if (status === 403) continue;
      assert.equal(status, 200, `${method} ${path}`);
      open.push(`${method} ${path}`);
    }
  }
  assert.deepEqual(open, ["POST /api/v1/logout", "GET /api/v1/session", "POST /api/v1/session/proof"]);
  assert.deepEqual(
    kit.guard.asked.map(({ command }) => command.verb),
    ["sign_in_mailbox"],
    "none of them reached the guard",
  );
});

test("an administrator and a token have no mailbox", async (t) => {
  const kit = await startKit(t);
  const administrator = await fetch(`${kit.url}/api/v1/me`, { headers: { cookie: await signIn(kit) } });
  assert.equal(administrator.status, 403);
  assert.equal((await fetch(`${kit.url}/api/v1/me`, { headers: bearer })).status, 401, "for browsers alone");
});
