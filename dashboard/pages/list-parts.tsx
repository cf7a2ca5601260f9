import { t } from "../admin-texts.ts";
import type { PageName, Query } from "../route.ts";
import { turnTo } from "../shell.tsx";

type PagesProps = Readonly<{ page: PageName; query: Query; by: "before" | "after"; at: string; next: string | null }>;

/** The way to the next page of a list, and back to the first. `by`: the place in the address with the page's cursor. */
export function Pages({ page, query, by, at, next }: PagesProps) {
  const words = t.value.accounts;
  return (
    <div class="bar">
      <span class="spacer" />
      {at !== "" && (
        <button type="button" onClick={() => turnTo(page, query)}>
          {words.first}
        </button>
      )}
      {next !== null && (
        <button type="button" onClick={() => turnTo(page, { ...query, [by]: next })}>
          {words.more}
        </button>
      )}
    </div>
  );
}
