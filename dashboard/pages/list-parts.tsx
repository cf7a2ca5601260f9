import type { ComponentChildren } from "preact";
import { t } from "../admin-texts.ts";
import { Form } from "../fields.tsx";
import { useFilled } from "../parts.tsx";
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

type FiltersProps = Readonly<{
  title: string;
  label: string;
  /** What the address of the page says. */
  filled: Query;
  isSet: boolean;
  search: (fields: Query) => void;
  clear: string;
  clearAll: () => void;
  children: ComponentChildren;
}>;

/** What a list shows of all that there is; closed on a phone until something is set. */
export function Filters({ title, label, filled, isSet, search, clear, clearAll, children }: FiltersProps) {
  const form = useFilled(filled);
  return (
    <details class="card filters" open={isSet || matchMedia("(min-width: 640px)").matches}>
      <summary>{title}</summary>
      <Form
        label={label}
        place={form}
        role="search"
        submit={async (fields) => search(fields)}
        others={
          <button type="button" disabled={!isSet} onClick={clearAll}>
            {clear}
          </button>
        }
      >
        {children}
      </Form>
    </details>
  );
}

/** For a choice that is applied at once. */
export function sendForm({ currentTarget }: Readonly<{ currentTarget: HTMLSelectElement }>): void {
  currentTarget.form?.requestSubmit();
}
