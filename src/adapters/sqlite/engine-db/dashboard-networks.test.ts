import assert from "node:assert/strict";
import { test } from "node:test";
import { alertsOnDatabase } from "../../../../test/kit/alerts-on-database.ts";
import { parseIp } from "../../../core/net/ip.ts";
import { SqliteAlertEvents } from "./alerts.ts";

test("a sign-in that lacked its code is new by the network from which the dashboard was asked", async () => {
  const { engine, db, clock } = alertsOnDatabase();
  const signIn = (from: string, service: "dashboard" | "imap") =>
    engine.ask({
      type: "LOGIN_SUCCEEDED",
      ip: parseIp(from) ?? assert.fail(),
      service,
      login: service === "imap" ? "anna@example.test" : "admin",
      passwordHash: "",
    });
  const asked = async (from: string): Promise<boolean> => {
    clock.advance(1_000);
    await engine.audit({ type: "SECOND_FACTOR_ASKED", subject: "authenticator app", by: `web:admin via ${from}` });
    return new SqliteAlertEvents(db).between(0, 100).at(-1)?.isNewNetwork ?? assert.fail();
  };
  assert.equal(await asked("203.0.113.200"), true);
  await signIn("203.0.113.201", "imap");
  assert.equal(await asked("203.0.113.200"), true, "a mailbox's sign-in tells nothing");
  await signIn("203.0.113.7", "dashboard");
  await signIn("2001:db8:1:2::3", "dashboard");
  assert.equal(await asked("203.0.113.200"), false);
  assert.equal(await asked("2001:db8:1:3::1"), false);
  assert.equal(await asked("198.51.100.7"), true);
});
