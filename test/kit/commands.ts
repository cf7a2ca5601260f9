import assert from "node:assert/strict";
import { parseControlLine, printLine } from "../../src/admin/declare/codec.ts";
import { type Command, type CommandOf, type ParsedCommand, type Verb, verbs } from "../../src/admin/declare/control.ts";
import { digestOf } from "../../src/guard/access/secrets.ts";
import { TOKEN } from "./fake-guard.ts";
import { sampleOfFields } from "./sample-of.ts";

const HASH = "$argon2id$v=19$m=65536,t=3,p=1$c2FsdHNhbHQ$aGFzaGhhc2g";
const NAME = "anna@example.org";

/** What differs from the sample of a verb's schema. */
const FIELDS: { readonly [V in Verb]?: Partial<Omit<CommandOf<V>, "verb">> } = {
  ban: { note: "" },
  record: { type: "FIREWALL_CONFIRMED", subject: "22/tcp, 25/tcp" },
  unban: { target: "2001:db8::/64" },
  allow_add: { target: "203.0.113.0/24", note: "office", for: "30d" },
  allow_remove: { target: "203.0.113.0/24" },
  account_state: { name: NAME },
  account_create_hashed: { hash: HASH },
  account_set_hash: { hash: HASH },
  accounts_import: { entries: [{ name: NAME, hash: HASH }] },
  accounts_import_hashed: { entries: [{ name: NAME, hash: HASH }] },
  accounts_follow: { entries: [], gone: ["bert@example.org"] },
  mail_keys_recover: { hash: HASH, keys: [] },
  quota_set: { quotaBytes: 50_000_000_000 },
  queue_hold: { ids: ["4Wxyz12AbCz1"] },
  queue_release: { ids: ["4Wxyz12AbCz1"] },
  queue_delete: { sender: "" },
  queue_return: { sender: "" },
  queue_flush: { isAll: true },
  alias_add: { targets: [NAME, "bert@example.org"] },
  greylist_pause: { recipient: NAME, for: "15m" },
  greylist_resume: { recipient: NAME },
  dns_check: { domain: "example.org" },
  /** Makes `TOKEN`. */
  token_create: { digest: digestOf(TOKEN), scopes: ["read"], for: "90d" },
  admin_set_hash: { hash: HASH },
  settings_preview: { changes: [{ key: "limits.mail.per_minute", value: "20" }] },
  settings_apply: { changes: [{ key: "limits.mail.per_minute", value: null }] },
  sign_in: { ip: "203.0.113.7" },
  passkey_challenge: { ip: "203.0.113.7" },
  sign_in_passkey: { ip: "203.0.113.7" },
  sign_in_mailbox: { ip: "203.0.113.7", account: NAME },
};

/** One command of each verb, as its sender writes it. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `admin/verbs.test.ts` reads each by its schema
export const COMMANDS = Object.fromEntries(
  [...verbs].map(([verb, entry]) => [verb, { ...sampleOfFields(entry.schema().shape), ...FIELDS[entry.verb] }]),
) as { readonly [V in Verb]: CommandOf<V> };

/** The command as the guard parses it. */
export function parsedCommandOf(command: Command): ParsedCommand {
  const parsed = parseControlLine(printLine({ by: "root", command }));
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.value.command;
}
