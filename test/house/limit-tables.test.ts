import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { SettingKey } from "../../src/settings/schema.ts";
import { settingsWith } from "../kit/loaded-settings.ts";

const settings = settingsWith();

type Row = readonly [what: string, ...keys: SettingKey[]];

/** Each row of the tables, by its start, and the settings whose defaults its numbers are, in this order. */
const README: readonly Row[] = [
  ["mails from one stranger", "limits.mail.per_minute", "limits.mail.per_hour", "limits.mail.per_day"],
  ["connections to ports 25", "limits.connections.per_minute", "limits.connections.per_hour"],
  ["different wrong passwords", "limits.logins.failures", "limits.logins.per_day", "limits.logins.per_week"],
  ["recipients that do not exist | 10", "limits.recipients.unknown_per_hour"],
  ["open connections of one address", "limits.connections.concurrent", "limits.connections.known"],
  ["mails from a stranger in one connection", "limits.mail.per_session"],
  ["recipients that do not exist, asked for", "limits.recipients.unknown_server_per_hour"],
  ["mails from a signed-in account", "limits.mail.per_minute", "limits.mail.per_hour", "limits.mail.per_day"],
  [
    "recipients of a signed-in account",
    "limits.sending.recipients_per_minute",
    "limits.sending.recipients_per_hour",
    "limits.sending.recipients_per_day",
  ],
  ["recipients to whom an account has never", "limits.sending.strangers", "limits.sending.strangers_per_day"],
];
const LIMITS: readonly Row[] = [
  ["open connections of one address", "limits.connections.concurrent"],
  ["the same, where an account", "limits.connections.known"],
  ["connections to 25", "limits.connections.per_minute", "limits.connections.per_hour"],
  ["mails from a stranger | ", "limits.mail.per_minute", "limits.mail.per_hour", "limits.mail.per_day"],
  ["mails from a stranger in one connection", "limits.mail.per_session"],
  ["recipients of other domains to whom an account has never written | 50", "limits.sending.recipients_per_minute"],
  ["recipients of an account", "limits.sending.recipients_per_hour", "limits.sending.recipients_per_day"],
  [
    "recipients of other domains to whom an account has never written | 100",
    "limits.sending.strangers",
    "limits.sending.strangers_per_day",
  ],
  ["such recipients whose servers refuse", "limits.sending.refused"],
  ["mails from one address", "limits.mail.postfix_per_minute"],
  ["recipients of one mail", "limits.mail.recipients"],
  ["recipients that do not exist | ", "limits.recipients.unknown_per_hour"],
  ["recipients that do not exist, asked for", "limits.recipients.unknown_server_per_hour"],
  ["addresses that write to a recipient", "limits.first_contacts.per_minute", "limits.first_contacts.per_hour"],
  ["different wrong passwords from one address", "limits.logins.failures"],
  ["the same, slowly", "limits.logins.per_day", "limits.logins.per_week"],
  ["the same, from an address that the account knows", "limits.logins.known_per_day"],
  ["different wrong passwords for one account", "limits.accounts.failures"],
  ["different wrong passwords from one network", "limits.networks.failures"],
  ["the same | 40", "limits.networks.per_day"],
  ["different wrong passwords on the whole server", "limits.spraying.guesses"],
];

for (const [page, rows] of [
  ["README.md", README],
  ["docs/limits.md", LIMITS],
] as const) {
  const lines = readFileSync(page, "utf8").split("\n");
  for (const [what, ...keys] of rows)
    test(`${page}: “${what}” says the defaults`, () => {
      const found = lines.filter((line) => line.startsWith(`| ${what}`));
      assert.equal(found.length, 1, `${found.length} rows`);
      const numbers = [...(found[0]?.split("|")[2] ?? "").matchAll(/\d+/g)].map(([digits]) => Number(digits));
      const positions = keys.map((key) => numbers.indexOf(Number(settings[key])));
      const defaults = keys.map((key) => `${key} is ${JSON.stringify(settings[key])}`).join(", ");
      assert.ok(!positions.includes(-1), defaults);
      const inOrder = positions.toSorted((a, b) => a - b);
      assert.deepEqual(positions, inOrder);
    });
}
