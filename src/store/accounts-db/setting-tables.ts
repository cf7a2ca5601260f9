import type { DatabaseSync } from "node:sqlite";
import { printable } from "../../core/text.ts";
import { text } from "../columns.ts";
import { NETWORKS } from "./account-networks.ts";
import { APP_PASSWORDS } from "./app-passwords.ts";
import type { NotedUses } from "./credentials.ts";
import { FORWARDS } from "./forwards.ts";
import { VACATIONS } from "./vacations.ts";

/** A setting of an account that its user or the owner sets, with its tables in `accounts.db`. */
export type AccountSetting = Readonly<{
  /** Its name in a comparison of two databases (`changed-since.ts`), and its store's name among the guard's parts. */
  key: string;
  store: (db: DatabaseSync, uses: NotedUses) => object;
  /** Its tables, triggers and views. Absent if they are in `schema.ts`, because views there need them. */
  schema?: string;
  /** All are checked for damage at each start. The first holds what is set; the others record its use, and grant no one anything. */
  tables: readonly string[];
  /** Plural name in messages. */
  says: string;
  /** The command that removes one. */
  undo: string;
  /** For a restriction: the command that adds one again. */
  redo?: string;
  /** For comparing two databases: `name` identifies a row, and a different `is` is a change. */
  rows: Readonly<{ from: string; name: string; is: string }>;
  /**
   * A row in words, for `why` and the evidence of an incident. `item` says which one it is, if an account may have several; `is` adds
   * details, if there are any. A long value is cut, so text that a person wrote comes last.
   */
  shown: Readonly<{ what: string; item?: string; is?: string }>;
  /** Its field of `MailboxSettings`. Absent if no one could receive or answer mail through it. */
  mailbox?: Readonly<{ name: string; read: (db: DatabaseSync, account: string) => unknown }>;
}>;

export const SETTING_TABLES = [
  APP_PASSWORDS,
  FORWARDS,
  VACATIONS,
  NETWORKS,
] as const satisfies readonly AccountSetting[];
type Entry = (typeof SETTING_TABLES)[number];
export type AccountSettingKey = Entry["key"];
type AccountSettingStores = { readonly [Each in Entry as Each["key"]]: ReturnType<Each["store"]> };

type MailboxField = Extract<Entry, Readonly<{ mailbox: unknown }>>["mailbox"];
type ReadSettings = { readonly [Each in MailboxField as Each["name"]]: ReturnType<Each["read"]> };

export const accountSettingsSchema = SETTING_TABLES.map((one: AccountSetting) => one.schema ?? "").join("");
export const accountSettingsTables = SETTING_TABLES.flatMap(({ tables }): readonly string[] => tables);

/** The stores through which the guard reads and writes these settings. */
export function sqliteAccountSettingStores(db: DatabaseSync, uses: NotedUses): AccountSettingStores {
  const stores = SETTING_TABLES.map(({ key, store }) => [key, store(db, uses)] as const);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each of the list under its key
  return Object.fromEntries(stores) as AccountSettingStores;
}

/** Each account's settings, row by row. `is_now` differs only if the setting does; `shown` may also give its last use or its end. */
export const ALL_SET = SETTING_TABLES.map(
  ({ rows, shown: { what, item, is } }: AccountSetting) => `
  SELECT account, '${what}' AS what, ${item ?? "NULL"} AS item, ${is ?? "NULL"} AS shown, ${rows.is} AS is_now FROM ${rows.from}`,
).join(" UNION ALL");

/** Cuts the value, because it may be a whole vacation reply. */
export function onOneLine(value: string): string {
  return printable(value.replaceAll(/\n+/g, " / "), 200);
}

/** A setting, in words. */
export type ShownSetting = Readonly<{ what: string; is: readonly string[] }>;

/** The settings of an account, in words. The connection may be read-only. */
export function readAccountSettings(db: DatabaseSync, account: string): readonly ShownSetting[] {
  const rows = db.prepare(`SELECT what, item, shown FROM (${ALL_SET}) WHERE account = ?`).all(account);
  const read = rows.map(({ what, item, shown }) => {
    const [name, is] = [item, shown].map((value) => (value === null ? "" : onOneLine(text(value))));
    return { what: text(what), is: name === "" || is === "" ? `${name}${is}` : `${name} (${is})` };
  });
  return [...Map.groupBy(read, ({ what }) => what)].map(([what, some]) => ({ what, is: some.map(({ is }) => is) }));
}

/** `MailboxSettings` of an account. The connection may be read-only. */
export function readMailboxSettings(db: DatabaseSync, account: string): ReadSettings {
  const read = SETTING_TABLES.flatMap((one) =>
    "mailbox" in one ? [[one.mailbox.name, one.mailbox.read(db, account)] as const] : [],
  );
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each of the list under its name
  return Object.fromEntries(read) as ReadSettings;
}
