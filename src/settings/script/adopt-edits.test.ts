import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { adoptEdits, readScript, type ScriptValues } from "./adopt-edits.ts";

const NEVER: ScriptValues = {};
const DELIVERED =
  "{ maxEmailsPerIP: { perMinute: 10, perHour: 50, perDay: 200 }, maxConnectionsPerIP: { perMinute: 20, perHour: 100, concurrent: 10 }, " +
  "banDurations: { light: 30 * 60 * 1000, medium: 2 * 60 * 60 * 1000, heavy: 24 * 60 * 60 * 1000 }, whitelist: [] }";

function adopt(config: string, values: ScriptValues, toml: string) {
  const adopted = adoptEdits(`const config = ${config};`, { values, isReplaced: false }, toml, {});
  return adopted.ok ? adopted : assert.fail(JSON.stringify(adopted.problems));
}

function refusals(config: string, toml: string): readonly string[] {
  const adopted = adoptEdits(`const config = ${config};`, { values: NEVER, isReplaced: false }, toml, {});
  assert.ok(!adopted.ok);
  return adopted.problems.map(({ says }) => says);
}

test("the script as delivered changes nothing, whatever the file says", () => {
  for (const toml of ["", "limits.mail.per_minute = 30\nallow.networks = []\n"])
    assert.deepEqual(adopt(DELIVERED, NEVER, toml), { ok: true, text: toml, values: {}, adopted: [], kept: [] });
});

test("a limit that is removed from the script is removed from the file, unless the file sets another by then", () => {
  const before = { "limits.mail.per_minute": "20", "limits.mail.per_hour": "60" };
  const back = adopt(DELIVERED, before, "limits.mail.per_minute = 20\nlimits.mail.per_hour = 70\n");
  assert.deepEqual([back.text, back.values], ["limits.mail.per_hour = 70\n", {}]);
  assert.deepEqual(back.adopted, [{ key: "limits.mail.per_minute", toml: "10" }]);
});

test("an edited limit is written to the file once, and later edits of either take effect", () => {
  const edited = "{ maxEmailsPerIP: { perMinute: 20, perHour: 50 } }";
  const first = adopt(edited, NEVER, "# limits.mail.per_minute = 10\n");
  assert.equal(first.text, "# limits.mail.per_minute = 10\nlimits.mail.per_minute = 20\n");
  assert.deepEqual(first.adopted, [{ key: "limits.mail.per_minute", toml: "20" }]);
  assert.deepEqual(first.values, { "limits.mail.per_minute": "20" });
  for (const toml of [first.text, "limits.mail.per_minute = 25\n", ""]) {
    const again = adopt(edited, first.values, toml);
    assert.deepEqual([again.text, again.adopted], [toml, []]);
  }
  const later = adopt("{ maxEmailsPerIP: { perMinute: 40 } }", first.values, first.text);
  assert.equal(later.text, "# limits.mail.per_minute = 10\nlimits.mail.per_minute = 40\n");
  const back = adopt("{ maxEmailsPerIP: { perMinute: 10, perHour: 60 } }", first.values, first.text);
  assert.equal(back.text, "# limits.mail.per_minute = 10\nlimits.mail.per_hour = 60\n");
});

test("the comments of a multi-line list stay when the script adds to it", () => {
  const file = 'allow.networks = [\n  "192.0.2.7", # office\n  "198.51.100.0/24", # home\n]\n';
  const list = '["192.0.2.7/32", "198.51.100.0/24", "203.0.113.1/32"]';
  const { text } = adopt('{ whitelist: ["203.0.113.1"] }', NEVER, file);
  assert.equal(text, `# office\n# home\nallow.networks = ${list}\n`);
});

test("a limit that differs between script and file is refused with its line, and so is everything else", () => {
  const edited = '{ maxEmailsPerIP: { perMinute: 20 }, whitelist: ["192.0.2.7"] }';
  assert.deepEqual(refusals(edited, "\nlimits.mail.per_minute = 30\n"), [
    "limits.mail.per_minute is 30 in line 2 of ghostinbox.toml, and 20 was written into security/security.js. Make them the same.",
  ]);
  const agreed = adopt(edited, NEVER, "limits.mail.per_minute = 20\n");
  const networks = '["127.0.0.1/32", "::1/128", "192.0.2.7/32"]';
  assert.deepEqual(agreed.adopted, [{ key: "allow.networks", toml: networks }]);
});

test("trusted addresses are added and removed one by one", () => {
  const first = adopt('{ whitelist: ["192.0.2.7", "2001:DB8::/48"] }', NEVER, "");
  assert.equal(first.text, 'allow.networks = ["127.0.0.1/32", "::1/128", "192.0.2.7/32", "2001:db8::/48"]\n');
  const toml = 'allow.networks = ["::1", "192.0.2.7", "198.51.100.0/24", "2001:db8::/48"]\n';
  const second = adopt('{ whitelist: ["2001:db8::/48", "203.0.113.1"] }', first.values, toml);
  assert.equal(second.text, 'allow.networks = ["::1/128", "198.51.100.0/24", "2001:db8::/48", "203.0.113.1/32"]\n');
  assert.equal(adopt(DELIVERED, second.values, second.text).text, 'allow.networks = ["::1/128", "198.51.100.0/24"]\n');
});

for (const [config, says] of [
  ["{ maxEmailsPerIP: { perMinute: 0 } }", /security\.js: maxEmailsPerIP\.perMinute must be .*, not 0\./],
  ['{ maxEmailsPerIP: { perMinute: "many" } }', /perMinute must be a whole number.*, not "many"\./],
  ['{ whitelist: ["home"] }', /security\.js: whitelist has an item that must be an IP address.*, not "home"\./],
  [
    "{ maxEmailsPerHost: 5 }",
    /maxEmailsPerHost is not a value of it; it has maxEmailsPerIP\.perMinute, .*, whitelist\./,
  ],
  [
    "{ banDurations: { light: 3 * 60 * 60 * 1000 } }",
    /banDurations must be a list, .* longer than the one before, not \["10800000ms","2h","24h"\]\./,
  ],
  ["{ banDurations: { lightest: 5 } }", /banDurations\.lightest is not a value of it/],
  ["{ banDurations: 5 }", /banDurations must be/],
  ["{ maxEmailsPerIP: 5 }", /maxEmailsPerIP is not a value of it/],
  ["10", /has no line `const config = \{`/],
] as const)
  test(`${config} is refused`, () => assert.match(refusals(config, "").join(), says));

test("limits of connections and lengths of bans are adopted, in milliseconds or as the settings write them", () => {
  const edited = `{ maxConnectionsPerIP: { perHour: 60 }, banDurations: { light: 60 * 60 * 1000, heavy: "2d" } }`;
  const first = adopt(edited, NEVER, "");
  assert.equal(first.text, 'limits.connections.per_hour = 60\nbans.ladder = ["1h", "2h", "2d"]\n');
  assert.equal(adopt(DELIVERED, first.values, first.text).text, "");
});

test("an invalid settings file is reported as such", () => {
  assert.match(refusals("{ maxEmailsPerIP: { perMinute: 20 } }", "nonsense = 1").join(), /nonsense/);
});

const SCRIPT = join(import.meta.dirname, "..", "..", "..", "security", "security.js");

test("the delivered script has the limits of the original, and trusts no more addresses", () => {
  assert.deepEqual(readScript(readFileSync(SCRIPT, "utf8")), {
    ok: true,
    config: {
      maxEmailsPerIP: { perMinute: 10, perHour: 50, perDay: 200 },
      maxConnectionsPerIP: { perMinute: 20, perHour: 100, concurrent: 10 },
      banDurations: { light: 1_800_000, medium: 7_200_000, heavy: 86_400_000 },
      whitelist: [],
    },
  });
});

test("comments, both quotes, quoted names and a trailing comma are read as JavaScript reads them", () => {
  const text = `#!/usr/bin/env node
const config = {
  /* config = { */
  'maxEmailsPerIP': { perMinute: 20 /* } */, }, // Adjust for your needs
  whitelist: ["192.0.2.1", '2001:db8::/48', "//",],
};
process.exit(1);`;
  const config = { maxEmailsPerIP: { perMinute: 20 }, whitelist: ["192.0.2.1", "2001:db8::/48", "//"] };
  assert.deepEqual(readScript(text), { ok: true, config });
});

for (const [what, text, says] of [
  ["no config", "const other = {};", /has no line `const config = \{`/],
  ["a call", "\nconst config = {\n  perMinute: Number(process.env.N),\n};", /line 3 is more than a plain value/],
  ["a sum", "const config = { perMinute: 5 + 5 };", /line 1 is more/],
  ["a product with a name", "const config = { light: 30 * minutes };", /line 1 is more/],
  ["an invalid number", "const config = { perMinute: 10x };", /line 1 is more/],
  ["an escape", 'const config = { whitelist: ["\\x31"] };', /line 1 is more/],
  ["a template", "const config = { whitelist: [`1`] };", /line 1 is more/],
  ["no end", "const config = { whitelist: [", /line 1 is more/],
  ["a missing comma", "\nconst config = { a: 1 b: 2 };", /from 2 on are not plain values/],
  ["brackets that do not fit", "const config = { a: [1} ]", /are not plain values/],
] as const)
  test(`${what} is refused with its line`, () => {
    const read = readScript(text);
    assert.ok(!read.ok);
    assert.match(read.says, says);
  });
