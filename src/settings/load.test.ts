import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ANY_CHARACTER } from "../../test/kit/any-character.ts";
import { loadValid, settingProblems } from "../../test/kit/loaded-settings.ts";
import { printable } from "../core/text.ts";
import { parseHostName } from "./kinds/texts.ts";
import { type Environment, loadSettings, missingDomain } from "./load.ts";
import { type Settings, settingKeys, variableOf } from "./schema.ts";

function settingsOf(text: string | null, env?: Environment): Settings {
  return loadValid(text, env).settings;
}

test("the file wins over the default, the environment over the file", () => {
  const file = `[limits.mail]\nper_minute = 3\nper_hour = 4`;
  const { settings, sources } = loadValid(file, { GHOSTINBOX_LIMITS__MAIL__PER_MINUTE: "7" });
  const { "limits.mail.per_minute": minute, "limits.mail.per_hour": hour, "limits.mail.per_day": day } = settings;
  assert.deepEqual([minute, hour, day], [7, 4, 200]);
  const overriding = { variable: "GHOSTINBOX_LIMITS__MAIL__PER_MINUTE", overrides: { toml: "3", line: 2 } };
  assert.deepEqual(sources["limits.mail.per_minute"], { toml: "7", from: "env", ...overriding });
  assert.deepEqual(sources["limits.mail.per_hour"], { toml: "4", from: "file", line: 3 });
  assert.deepEqual(sources["limits.mail.per_day"], { toml: "200", from: "default" });
});

test("every way to write a key is equivalent", () => {
  for (const file of [
    "limits.mail.per_minute = 3",
    "[limits]\nmail.per_minute = 3",
    "[limits.mail]\nper_minute = 3",
    "limits = { mail = { per_minute = 3 } }",
    "\uFEFF[limits.mail]\r\nper_minute = 3\r\n",
  ])
    assert.equal(settingsOf(file)["limits.mail.per_minute"], 3, file);
});

test("the host name follows from the first domain unless it is set", () => {
  assert.equal(settingsOf(`domains = ["example.org"]`).hostname, "mail.example.org");
  assert.equal(settingsOf(`domains = ["example.org"]\nhostname = "MX.example.net"`).hostname, "mx.example.net");
  assert.equal(settingsOf(null).hostname, "");
});

test("a missing domain is reported in one sentence that says how to set it", () => {
  assert.match(missingDomain(settingsOf(null)) ?? "", /GHOSTINBOX_DOMAIN=.*\.$/);
  assert.equal(missingDomain(settingsOf(`domains = ["example.org"]`)), null);
});

test("an empty variable counts as not set", () => {
  const settings = settingsOf(`domains = ["example.org"]\n[bans]\nladder = ["1h"]`, {
    GHOSTINBOX_LIMITS__MAIL__PER_MINUTE: " ",
    GHOSTINBOX_DOMAIN: "",
    GHOSTINBOX_BANS__LADDER: "",
  });
  assert.equal(settings["limits.mail.per_minute"], 10);
  assert.deepEqual(settings.domains, ["example.org"]);
  assert.deepEqual(settings["bans.ladder"], [3_600_000]);
});

test("an empty variable is ambiguous for a list that may be empty, so it is refused", () => {
  for (const text of ["", " "])
    assert.deepEqual(settingProblems(null, { GHOSTINBOX_DNSBL__ZONES: text }), [
      "GHOSTINBOX_DNSBL__ZONES is empty: write [] for an empty list, or leave the variable out.",
    ]);
  assert.deepEqual(settingsOf(null, { GHOSTINBOX_DNSBL__ZONES: "[]" })["dnsbl.zones"], []);
});

const wrongFiles: readonly (readonly [text: string, ...says: readonly string[]])[] = [
  ["a = [", "Line 1 of ghostinbox.toml, column 5, is not TOML: unfinished array."],
  [`profile = "tiny"`, `profile must be one of "standard", "small", not "tiny".`],
  ["[limits.mail]\nper_minuet = 3", "limits.mail.per_minuet is not a setting; the nearest is limits.mail.per_minute."],
  ["[limts.mail]\nper_hour = 3", "limts.mail.per_hour is not a setting; the nearest is limits.mail.per_hour."],
  [
    "[alerts]\n\nspam.enabled = false",
    "alerts.spam.enabled is not a setting: line 3 sets spam.enabled below the table [alerts] of line 1. Move it above line 1.",
  ],
  [`"limits.mail.per_minute" = 3`, `"limits.mail.per_minute" is not a setting; the nearest is limits.mail.per_minute.`],
  ["limits = 3", "limits must be a table, as in [limits]."],
  ["[limits.mail.per_minute]", "limits.mail.per_minute must be a whole number from 1 to 1000000, not a table."],
  [`[limits.mail]\nper_minute = "ten"`, `limits.mail.per_minute must be a whole number from 1 to 1000000, not "ten".`],
  ["[limits.mail]\nper_minute = inf", "limits.mail.per_minute must be a whole number from 1 to 1000000, not Infinity."],
  ["[ports]\nimaps = 25", "ports.imaps must not be 25, the port of ports.smtp."],
  ["[ports]\nimaps = 53", "ports.imaps must not be 53, the port of dns.address."],
  // Each rotation reloads Postfix, which writes a line into the new log.
  [`[logs]\nmax_age = "59m"`, `logs.max_age must be a duration such as "30m" from 1h to 3650d, not "59m".`],
  [`domains = ["ok.org", "nodot"]`, `domains has an item that must be a domain such as example.org, not "nodot".`],
  [`hostname = "mail"`, `hostname must be a full host name such as mail.example.org, not "mail".`],
  [
    `[allow]\nnetworks = ["::/0"]`,
    `allow.networks has an item that must be an IP address or a network such as 203.0.113.0/24, not "::/0".`,
  ],
  [`[alerts]\nrelay_to = ["me@example.net"]`, "alerts.relay must be set too, because alerts.relay_to is."],
  [`[tls]\nkey = "/etc/key.pem"`, "tls.cert must be set too, because tls.key is."],
  [
    `[tls]\ncert = "/a\\nb"\nkey = "x"`,
    `tls.cert must be an absolute path of letters, digits and ._@+-/, not "/a\\nb".`,
    `tls.key must be an absolute path of letters, digits and ._@+-/, not "x".`,
  ],
];
for (const [text, ...says] of wrongFiles)
  test(`refuses ${JSON.stringify(text)}`, () => assert.deepEqual(settingProblems(text), says));

test("a domain leaves room for the names that are made from it", () => {
  const longest = "org".padStart(237, "a.");
  const file = (domain: string, selector: string) => `domains = ["${domain}"]\ndkim.selector = "${selector}"`;
  assert.deepEqual(settingProblems(file(longest, "keys")), []);
  assert.deepEqual(settingProblems(file(`a${longest}`, "keys")), [
    "dkim.selector or the longest domain must be shorter: SELECTOR._domainkey.DOMAIN has at most 253 characters.",
  ]);
  const { hostname } = settingsOf(file(`aaa${longest}`, "k"));
  assert.equal(parseHostName(hostname), hostname);
});

test("an unknown variable names the nearest known one; others' variables are left alone", () => {
  assert.deepEqual(settingProblems(null, { GHOSTINBOX_DOMAINS: "example.org" }), [
    "The environment variable GHOSTINBOX_DOMAINS is not a setting; the nearest is GHOSTINBOX_DOMAIN.",
  ]);
  const others = { GHOSTINBOX_DATA: "/data", PATH: "/bin", GHOSTINBOX_PORT_25_TCP: "tcp://10.0.0.1:25" };
  assert.deepEqual(settingProblems(null, others), []);
});

test("a wrong variable is named as written, even if the file is right", () => {
  assert.deepEqual(settingProblems("[ports]\nsmtp = 2525", { GHOSTINBOX_PORTS__SMTP: "25 " }), []);
  assert.deepEqual(settingProblems("[ports]\nsmtp = 2525", { GHOSTINBOX_PORTS__SMTP: "smtp" }), [
    `GHOSTINBOX_PORTS__SMTP must be a whole number from 1 to 65535, not "smtp".`,
  ]);
});

test("all problems are reported at once, up to twenty, each in one short line", () => {
  assert.equal(settingProblems("[ports]\nsmtp = 0\nimaps = 0", { GHOSTINBOX_HOSTNAME: "x" }).length, 3);
  assert.equal(settingProblems(Array.from({ length: 1_000 }, (_, i) => `a${i} = 1`).join("\n")).length, 20);
  const long = settingProblems(`${"x".repeat(100_000)} = 1\nhostname = "${"y".repeat(100_000)}"`);
  assert.equal(long.length, 2);
  for (const says of long) assert.ok(says.length < 300);
});

test("nesting and size are limited", () => {
  assert.equal(settingProblems(`a${".a".repeat(5_000)} = 1`).length, 1);
  assert.equal(settingProblems(`a = ${"[".repeat(5_000)}`).length, 1);
  assert.deepEqual(settingProblems("#".repeat(1_000_001)), ["ghostinbox.toml has more than 1000000 characters."]);
});

// Pieces that make nearly valid texts; plain noise would never get past the parser.
const MARKS = [..."[ ] [[ ]] = , .".split(" "), "\n", '"', "'''", ..."{ } # -1 1e999 nan true 1979-05-27".split(" ")];
const WORDS = ["__proto__", "constructor", "\0", "\u{1F47B}", '"30m"', '"10MB"', '["2h"]', "{}", "07:32:00", "0x7f"];
const piece = fc.constantFrom(...MARKS, ...WORDS, ...settingKeys());
const almostToml = fc.oneof(
  fc.string({ unit: ANY_CHARACTER }),
  fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(" ")),
  fc
    .array(fc.tuple(fc.oneof(fc.constantFrom(...settingKeys()), fc.string()), piece), { maxLength: 6 })
    .map((pairs) => pairs.map(([key, value]) => `${key} = ${value}`).join("\n")),
);
const known = fc.constantFrom(...settingKeys().map(variableOf));
const unknown = fc.string().map((name) => `GHOSTINBOX_${name}`);
const value = fc.oneof(fc.string({ unit: ANY_CHARACTER }), piece);
const almostEnv = fc.dictionary(fc.oneof(known, unknown), value, { maxKeys: 4 });

test("whatever the file and the environment contain, the answer is complete settings or sentences", () => {
  fc.assert(
    fc.property(almostToml, almostEnv, (text, env) => {
      const loaded = loadSettings(text, env);
      if (loaded.ok) {
        for (const key of settingKeys()) assert.notEqual(loaded.settings[key], undefined);
        return;
      }
      assert.ok(loaded.problems.length > 0 && loaded.problems.length <= 20);
      for (const { says } of loaded.problems) {
        assert.match(says, /\.$/);
        assert.equal(says, printable(says, 500), "one line that a terminal shows as it is");
      }
    }),
    { seed: 2, numRuns: 500 },
  );
});
