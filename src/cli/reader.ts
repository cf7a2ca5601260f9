import type { Queries } from "../engine/ports.ts";
import type { AccountItem, AliasItem, TokenItem } from "../wire/control/items.ts";

/** What commands that print read: the two databases, opened read-only, and the settings. */
export interface Reader {
  readonly queries: Queries;
  accounts(): readonly AccountItem[];
  aliases(): readonly AliasItem[];
  tokens(): readonly TokenItem[];
}
