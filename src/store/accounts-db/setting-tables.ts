import type { DatabaseSync } from "node:sqlite";
import { NETWORKS, SqliteAccountNetworks } from "./account-networks.ts";
import { APP_PASSWORDS, readAppPasswords, SqliteAppPasswords } from "./app-passwords.ts";
import type { NotedUses } from "./credentials.ts";
import { FORWARDS, readForwarding, SqliteForwards, SqliteNewForwards } from "./forwards.ts";
import { readVacation, SqliteVacations, VACATIONS } from "./vacations.ts";

/** What its user or the owner sets for a mailbox, with its table in `accounts.db`. */
export type AccountSetting = Readonly<{
  /** In a comparison of two databases (`changed-since.ts`). */
  key: string;
  /** Its tables, triggers and views. Absent if they are in `schema.ts`, because views there need them. */
  schema?: string;
  /** All are checked for damage at each start. The first holds what is set; the others record its use, and grant no one anything. */
  tables: readonly string[];
  /** In the plural, for people. */
  says: string;
  /** The command that removes one. */
  undo: string;
  /** For a restriction: the command that adds one again. */
  redo?: string;
  /** For comparing two databases: `name` identifies a row, and a different `is` is a change. */
  rows: Readonly<{ from: string; name: string; is: string }>;
  /** The account, and the setting in words, for the evidence of an incident. */
  shown: Readonly<{ what: string; value: string; from: string }>;
}>;

export const SETTING_TABLES = [
  APP_PASSWORDS,
  FORWARDS,
  VACATIONS,
  NETWORKS,
] as const satisfies readonly AccountSetting[];
export type AccountSettingKey = (typeof SETTING_TABLES)[number]["key"];

export const accountSettingsSchema = SETTING_TABLES.map((one: AccountSetting) => one.schema ?? "").join("");
export const accountSettingsTables = SETTING_TABLES.flatMap(({ tables }): readonly string[] => tables);

/** What reads and writes them for the guard. */
export function accountSettingStores(db: DatabaseSync, uses: NotedUses) {
  return {
    appPasswords: new SqliteAppPasswords(db, uses),
    networks: new SqliteAccountNetworks(db),
    forwards: new SqliteForwards(db),
    newForwards: new SqliteNewForwards(db),
    vacations: new SqliteVacations(db),
  } as const;
}

/** What the user of a mailbox sets for it, as `why` and incidents show it. The connection may be read-only. */
export function readMailboxSettings(db: DatabaseSync, account: string) {
  return {
    appPasswords: readAppPasswords(db, account),
    forwarding: readForwarding(db, account),
    vacation: readVacation(db, account),
  };
}
