import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { loadValid, settingsWith } from "../../test/kit/loaded-settings.ts";
import { commentedToml, referenceMarkdown } from "./reference.ts";
import { settingKeys } from "./schema.ts";

const PAGE = new URL("../../docs/reference/settings.md", import.meta.url);

test("docs/reference/settings.md is what the schema says", () => {
  if (process.env["UPDATE_EXPECTED"] === "1") writeFileSync(PAGE, referenceMarkdown());
  const hint = "it is stale: run this test with UPDATE_EXPECTED=1 and commit the page";
  assert.ok(readFileSync(PAGE, "utf8") === referenceMarkdown(), hint);
});

test("the file that set-up writes sets the domains and the host name, and nothing else", () => {
  const loaded = loadValid(commentedToml({ domains: ["example.org", "example.net"], hostname: "mx.example.org" }));
  assert.deepEqual(loaded.settings.domains, ["example.org", "example.net"]);
  assert.equal(loaded.settings.hostname, "mx.example.org");
  const set = settingKeys().filter((key) => loaded.sources[key].from === "file");
  assert.deepEqual(set, ["domains", "hostname"]);
});

test("the profile of the first start is written to the file: later starts have no variable for it", () => {
  const loaded = loadValid(commentedToml({ domains: ["example.org"], hostname: "", profile: "small" }));
  assert.equal(loaded.settings.profile, "small");
  assert.equal(loaded.sources.profile.from, "file");
});

test("with every # before a setting removed, that file says the defaults", () => {
  const text = commentedToml({ domains: ["example.org"], hostname: "" });
  const loaded = loadValid(text.replace(/^# ([a-z0-9_.-]+ = )/gm, "$1"));
  assert.deepEqual(loaded.settings, settingsWith());
  const left = settingKeys().filter((key) => loaded.sources[key].from === "default");
  assert.deepEqual(left, ["hostname"], "an empty host name is one that follows from the domain");
});
