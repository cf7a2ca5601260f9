import assert from "node:assert/strict";
import { test } from "node:test";
import { instant } from "../../core/time.ts";
import { isRotated, isRotatedElsewhere, rotatedName } from "./log-follower.ts";

test("elder parts of a log, and what is none", () => {
  assert.equal(rotatedName("mail.log", instant(Date.UTC(2026, 10, 20, 8, 15))), "mail.log.20261120-081500");
  for (const name of ["mail.log.20261120-081500", "mail.log.20261120-081500.gz", "mail.log.20261120-081500-2"])
    assert.ok(isRotated(name, "mail.log"), name);
  for (const name of ["mail.log", "fail2ban.log.20261120-081500", "mail.log.bak", "mail.log.20261120-081500.gz.x"])
    assert.ok(!isRotated(name, "mail.log"), name);
  assert.ok(isRotated("@400000006720a1b2c3d4e5f6.s", "current"));
  for (const name of ["lock", "config", "current", "state"]) assert.ok(!isRotated(name, "current"), name);
});

test("parts of a log that logrotate set aside, but for packed ones", () => {
  for (const name of ["eve.json.1", "eve.json.12", "eve.json-20261120", "eve.json-20261120-1795162500"])
    assert.ok(isRotatedElsewhere(name, "eve.json"), name);
  for (const name of [
    "eve.json",
    "eve.json.1.gz",
    "eve.json.bak",
    "eve.json-x",
    "xeve.json.1",
    "eve.json.20261120-081500",
  ])
    assert.ok(!isRotatedElsewhere(name, "eve.json"), name);
});
