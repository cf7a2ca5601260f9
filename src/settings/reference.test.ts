import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { loadValid, settingsWith } from "../../test/kit/loaded-settings.ts";
import { profileDefault } from "./profile.ts";
import { commentedToml, listOrText } from "./reference.ts";
import { type SettingKey, sectionOf, settingKeys, settingOf, variableOf } from "./schema.ts";

const PAGE = new URL("../../docs/reference/settings.md", import.meta.url);

test("docs/reference/settings.md matches the schema", () => {
  if (process.env["UPDATE_EXPECTED"] === "1") writeFileSync(PAGE, referenceMarkdown());
  const hint = "it is stale: run this test with UPDATE_EXPECTED=1 and commit the page";
  assert.ok(readFileSync(PAGE, "utf8") === referenceMarkdown(), hint);
});

test("the file that set-up writes sets the domains and a host name that was given, and nothing else", () => {
  const loaded = loadValid(commentedToml({ domains: ["example.org", "example.net"], hostname: "mx.example.org" }));
  assert.deepEqual(loaded.settings.domains, ["example.org", "example.net"]);
  assert.equal(loaded.settings.hostname, "mx.example.org");
  const set = settingKeys().filter((key) => loaded.sources[key].from === "file");
  assert.deepEqual(set, ["domains", "hostname"]);
  assert.match(commentedToml({ domains: ["example.org"], hostname: "" }), /^# hostname = ""$/m);
});

test("the profile of the first start is written to the file: later starts have no variable for it", () => {
  const loaded = loadValid(commentedToml({ domains: ["example.org"], hostname: "", profile: "small" }));
  assert.equal(loaded.settings.profile, "small");
  const header = commentedToml({ domains: [], hostname: "", profile: "small" }).split("\n").slice(0, 2).join(" ");
  assert.match(header, /default at the first start, without a profile; `config reference` lists today's\./);
  assert.equal(loaded.sources.profile.from, "file");
});

test("with every # before a setting removed, that file sets the defaults", () => {
  const text = commentedToml({ domains: ["example.org"], hostname: "" });
  const loaded = loadValid(text.replace(/^# ([a-z0-9_.-]+ = )/gm, "$1"));
  assert.deepEqual(loaded.settings, settingsWith());
  const left = settingKeys().filter((key) => loaded.sources[key].from === "default");
  assert.deepEqual(left, ["hostname"], "an empty host name is one that follows from the domain");
});

/** `docs/reference/settings.md`, which this test writes. */
function referenceMarkdown(): string {
  const sections = [...Map.groupBy(settingKeys(), sectionOf)].map(
    ([section, keys]) => `## ${section === "" ? "At the top" : section}\n\n${keys.map(entry).join("\n\n")}\n`,
  );
  return `# Settings

Generated from \`src/settings/schema.ts\`; do not edit.

Settings are in \`ghostinbox.toml\` in the data directory, one on a line, with its whole name. So you can paste any line or
block of these pages anywhere into the file. Each setting may be in it once. (A TOML table such as \`[limits.mail]\` is
accepted too, but a line that is pasted below it belongs to it.)

Each setting can also be set by an environment variable, which wins over the file. In a variable, the items of a list are
separated by commas, and \`[]\` is an empty list. An empty variable counts as not set. For a list it could also mean an empty
list, so there it is refused: write \`[]\`, or leave the variable out. (\`GHOSTINBOX_DOMAIN\` and \`GHOSTINBOX_BANS__LADDER\` are
never empty lists, so they count as not set too.)

Durations are written \`500ms\`, \`45s\`, \`30m\`, \`2h\`, \`7d\`; sizes \`512KB\`, \`10MB\`, \`2GB\`, where a kilobyte is 1,024
bytes. An unknown key is an error. \`config set\` changes single lines, \`config check\` tests the file without
applying it, \`config apply\` applies it, and \`config show\` shows every value and where it comes from
([how](../settings.md)). [Terms](../glossary.md)

${sections.join("\n")}`;
}

function entry(key: SettingKey): string {
  const { says, source, kind, byDefault } = settingOf(key);
  return `### \`${key}\`

${says}${source === undefined ? "" : `\n\nSource: ${source}.`}

- Default: \`${listOrText(byDefault)}\`${inSmall(key)}
- Takes: ${kind.accepts}
- Variable: \`${variableOf(key)}\``;
}

function inSmall(key: SettingKey): string {
  const value = profileDefault("small", key);
  return value === undefined ? "" : `; with \`profile = "small"\`: \`${listOrText(value)}\``;
}
