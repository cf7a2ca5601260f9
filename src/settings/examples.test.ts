import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { loadValid } from "../../test/kit/loaded-settings.ts";
import { missingDomain } from "./load.ts";
import type { Settings } from "./schema.ts";

const DIRECTORY = join(import.meta.dirname, "..", "..", "examples");

function settingsOf(name: string): Settings {
  return loadValid(readFileSync(join(DIRECTORY, name), "utf8")).settings;
}

for (const name of readdirSync(DIRECTORY).filter((file) => file.endsWith(".toml")))
  test(`${name} is read without a complaint, and needs nothing else`, () => {
    assert.equal(missingDomain(settingsOf(name)), null);
  });

/** test/e2e/examples.test.ts tries its other settings. */
test("investra.toml names the contacts of its seed, bans for ten minutes each time, and keeps the default limits of slow guessing", () => {
  const settings = settingsOf("investra.toml");
  const contacts = settings["alerts.contacts"].map((one) => one.split(":")[0]);
  assert.deepEqual(contacts, ["Security Team", "System Admin", "Hosting Provider"]);
  assert.deepEqual(settings["bans.ladder"], [600_000]);
  assert.deepEqual([settings["limits.logins.per_day"], settings["limits.logins.per_week"]], [10, 20]);
});

test("ghostinbox.toml has the values of its seed", () => {
  const settings = settingsOf("ghostinbox.toml");
  const { "limits.mail.per_minute": minute, "limits.mail.per_hour": hour, "limits.mail.per_day": day } = settings;
  assert.deepEqual([minute, hour, day], [10, 50, 200]);
  assert.deepEqual([settings["limits.connections.per_minute"], settings["limits.connections.per_hour"]], [20, 100]);
  assert.deepEqual(settings["bans.ladder"], [1_800_000, 7_200_000, 86_400_000]);
  assert.deepEqual([settings["limits.mail.postfix_per_minute"], settings["limits.mail.per_session"]], [20, 5]);
  assert.deepEqual([settings["limits.connections.concurrent"], settings["limits.mail.max_size"]], [10, 10_485_760]);
  assert.equal(settings["fail2ban.sentences"], "all", "each of the five jails bans");
  for (const name of ["abuse", "admin"]) assert.ok(settings["recipients.blocked"].includes(name), name);
  assert.deepEqual(settings["allow.networks"], ["127.0.0.1/32", "::1/128"]);
  assert.deepEqual(settings["dnsbl.zones"], ["zen.spamhaus.org", "bl.spamcop.net"]);
});
