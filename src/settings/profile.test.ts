// Invariant: A profile has other defaults, and weakens no limit.
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadValid } from "../../test/kit/loaded-settings.ts";
import { givenUp, profileDefault } from "./profile.ts";
import { EXPORT_KEYS, WEB_KEYS } from "./program-settings.ts";
import { settingKeys } from "./schema.ts";

const SMALL = 'profile = "small"';
const SMALL_KEYS = settingKeys().filter((key) => profileDefault("small", key) !== undefined);

test("the small profile changes its own settings and no other, and names the cost of each", () => {
  const standard = loadValid(null);
  const small = loadValid(SMALL);
  const changed = settingKeys().filter((key) => small.sources[key].toml !== standard.sources[key].toml);
  assert.deepEqual(changed.toSorted(), ["profile", ...SMALL_KEYS].toSorted());
  for (const key of SMALL_KEYS)
    assert.deepEqual(small.sources[key], { toml: small.sources[key].toml, from: "profile", profile: "small" }, key);
  assert.equal(givenUp("small", small.sources).length, SMALL_KEYS.length);
  assert.deepEqual(givenUp("standard", standard.sources), []);
});

test("the owner's value wins over the profile's, in the file and by a variable, even if it is the usual default", () => {
  const { settings, sources } = loadValid(`${SMALL}\nfail2ban.enabled = true`, { GHOSTINBOX_SPAM__PROCESSES: "2" });
  assert.deepEqual([settings["fail2ban.enabled"], sources["fail2ban.enabled"].from], [true, "file"]);
  assert.deepEqual([settings["spam.processes"], sources["spam.processes"].from], [2, "env"]);
  assert.equal(settings["outbound.at_once"], 4);
  assert.ok(!givenUp("small", sources).some((line) => /Fail2ban|scored/.test(line)));
});

test("a variable names the profile too, and wins over the file", () => {
  assert.equal(loadValid(null, { GHOSTINBOX_PROFILE: "small" }).settings["fail2ban.enabled"], false);
  assert.equal(loadValid(SMALL, { GHOSTINBOX_PROFILE: "standard" }).settings["fail2ban.enabled"], true);
});

test("no profile changes a limit of the guard or a check", () => {
  const kept = SMALL_KEYS.filter((key) =>
    /^(limits\.(?!connections\.\w+_places$)|bans\.|firewall\.|dnsbl\.|dkim\.|greylist\.|tls\.|allow\.)/.test(key),
  );
  assert.deepEqual(kept, []);
});

test("no profile changes a setting that a program is given on its own", () => {
  const given: readonly string[] = [...WEB_KEYS, ...EXPORT_KEYS];
  const both = SMALL_KEYS.filter((key) => given.includes(key));
  assert.deepEqual(both, []);
});
