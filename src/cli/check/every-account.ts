import type { AccountItem } from "../../wire/control/items.ts";
import { PAGE } from "../../wire/control/paging.ts";
import type { Reader } from "../reader.ts";

/** All accounts, page after page. */
export function everyAccount(reader: Reader): readonly AccountItem[] {
  const all: AccountItem[] = [];
  let cursor: string | null = null;
  do {
    const page = reader.accounts({ limit: PAGE.most, cursor });
    all.push(...page.items);
    cursor = page.next;
  } while (cursor !== null);
  return all;
}
