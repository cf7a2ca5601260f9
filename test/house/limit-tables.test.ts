import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Settings } from "../../src/settings/schema.ts";
import { settingsWith } from "../kit/loaded-settings.ts";

const settings = settingsWith();

type LimitOf<Key> = Key extends `limits.${infer Name}` ? Name : never;
type Row = readonly [what: string, names: readonly LimitOf<keyof Settings>[]];

/** How each row of a table starts, and the settings below `limits` whose defaults it gives, in this order. */
const README: readonly Row[] = [
  ["mails from one stranger", ["mail.per_minute", "mail.per_hour", "mail.per_day"]],
  ["connections to ports 25", ["connections.per_minute", "connections.per_hour"]],
  ["different wrong passwords", ["logins.failures", "logins.per_day", "logins.per_week"]],
  ["recipients that do not exist | 10", ["recipients.unknown_per_hour"]],
  ["open connections of one address", ["connections.concurrent", "connections.known"]],
  ["mails from a stranger in one connection", ["mail.per_session"]],
  ["recipients that do not exist, asked for", ["recipients.unknown_server_per_hour"]],
  ["mails from a signed-in account", ["mail.per_minute", "mail.per_hour", "mail.per_day"]],
  [
    "recipients of a signed-in account",
    ["sending.recipients_per_minute", "sending.recipients_per_hour", "sending.recipients_per_day"],
  ],
  ["recipients to whom an account has never", ["sending.strangers", "sending.strangers_per_day"]],
];
const LIMITS: readonly Row[] = [
  ["open connections of one address", ["connections.concurrent"]],
  ["the same, where an account", ["connections.known"]],
  ["connections to 25", ["connections.per_minute", "connections.per_hour"]],
  ["mails from a stranger | ", ["mail.per_minute", "mail.per_hour", "mail.per_day"]],
  ["mails from a stranger in one connection", ["mail.per_session"]],
  ["recipients of other domains to whom an account has never written | 50", ["sending.recipients_per_minute"]],
  ["recipients of an account", ["sending.recipients_per_hour", "sending.recipients_per_day"]],
  [
    "recipients of other domains to whom an account has never written | 100",
    ["sending.strangers", "sending.strangers_per_day"],
  ],
  ["such recipients whose servers refuse", ["sending.refused"]],
  ["mails from one address", ["mail.postfix_per_minute"]],
  ["recipients of one mail", ["mail.recipients"]],
  ["recipients that do not exist | ", ["recipients.unknown_per_hour"]],
  ["recipients that do not exist, asked for", ["recipients.unknown_server_per_hour"]],
  ["addresses of [first contacts]", ["first_contacts.per_minute", "first_contacts.per_hour"]],
  ["different wrong passwords from one address", ["logins.failures"]],
  ["the same, slowly", ["logins.per_day", "logins.per_week"]],
  ["the same, from an address that the account knows", ["logins.known_per_day"]],
  ["different wrong passwords for one account", ["accounts.failures"]],
  ["different wrong passwords from one network", ["networks.failures"]],
  ["the same | 40", ["networks.per_day"]],
  ["different wrong passwords on the whole server", ["spraying.guesses"]],
];

for (const [page, rows] of [
  ["README.md", README],
  ["docs/limits.md", LIMITS],
] as const) {
  const lines = readFileSync(page, "utf8").split("\n");
  for (const [what, names] of rows)
    test(`${page}: “${what}” says the defaults`, () => {
      const found = lines.filter((line) => line.startsWith(`| ${what}`));
      assert.equal(found.length, 1, `${found.length} rows`);
      const numbers = [...(found[0]?.split("|")[2] ?? "").matchAll(/\d+/g)].map(([digits]) => Number(digits));
      const defaults = names.map((name) => Number(settings[`limits.${name}`]));
      const positions = defaults.map((value) => numbers.indexOf(value));
      assert.ok(!positions.includes(-1), `${names.join(" ")}: ${defaults.join(", ")}`);
      const inOrder = positions.toSorted((a, b) => a - b);
      assert.deepEqual(positions, inOrder);
    });
}
