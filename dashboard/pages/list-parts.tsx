import type { ComponentChildren, JSX } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { t } from "../admin-texts.ts";
import { Choice, Form, PagerButtons } from "../controls.tsx";
import { escapeInvisible, windowTitle } from "../format.ts";
import { Button, Field, fieldsOf, useFormValues } from "../parts.tsx";
import { go, hrefOf, type Query, route } from "../route.ts";
import { openPage } from "../shell.tsx";

export const PAGE_ROWS = 50;

type Tab = Readonly<{ name: string; title: string; Content: () => JSX.Element }>;
type NonEmpty<T> = readonly [T, ...T[]];

/** A page that shows its parts as tabs, and opens the one that the address names, or else the first. The window's title names it too. */
export const tabbedPage = (tabs: NonEmpty<Tab>) => () => <Tabs tabs={tabs} />;

function Tabs({ tabs }: Readonly<{ tabs: NonEmpty<Tab> }>) {
  const { page } = route.value;
  const { show, name = "" } = route.value.query;
  const current = tabs.find((tab) => tab.name === show) ?? tabs[0];
  const { Content } = current;
  const title = current === tabs[0] ? "" : current.title;
  useEffect(() => {
    document.title = windowTitle(escapeInvisible(name), title, t.nav[page]);
  }, [name, title]);
  return (
    <>
      <nav class="tabs" aria-label={t.lists.parts}>
        {tabs.map((tab) => (
          <a
            key={tab.name}
            href={hrefOf(page, { show: tab === tabs[0] ? "" : tab.name })}
            aria-current={tab === current ? "page" : undefined}
          >
            {tab.title}
          </a>
        ))}
      </nav>
      <Content key={current.name} />
    </>
  );
}

type LookUpProps = Readonly<{ query?: Query; label: string; placeholder?: string }>;

/** Searches a list for a text. `query`: the rest of the page's address. */
export function LookUp({ query = {}, label, placeholder }: LookUpProps) {
  const form = useFormValues({ text: route.value.query["text"] ?? "" });
  const search = (event: Event): void => {
    event.preventDefault();
    go(route.value.page, { ...query, ...fieldsOf(event.currentTarget) });
  };
  return (
    <form ref={form} class="look-up" role="search" onSubmit={search}>
      <Field label={label} name="text" type="search" maxLength={200} placeholder={placeholder} />
      <button type="submit">{t.lists.search}</button>
    </form>
  );
}

type PagerProps = Omit<Parameters<typeof PagerButtons>[0], "first" | "next"> &
  Readonly<{ query: Query; by?: "before" | "after"; next: string | null; isEmpty?: boolean }>;

/** `PagerButtons` by the address of the page. `by`: the field with the cursor. `isEmpty`: shows the first page instead. */
export function Pager({ query, by = "before", next, isEmpty = false, ...turns }: PagerProps) {
  const { page, query: at } = route.value;
  const isEmptied = isEmpty && next === null && (at[by] ?? "") !== "";
  useLayoutEffect(() => {
    if (isEmptied) go(page, query, "replace");
  }, [isEmptied]);
  return (
    <PagerButtons
      first={(at[by] ?? "") === "" ? null : () => openPage(page, query)}
      next={next === null ? null : () => openPage(page, { ...query, [by]: next })}
      {...turns}
    />
  );
}

type FiltersProps = Readonly<{
  title: string;
  label: string;
  /** The fields in the address of the page. */
  filled: Query;
  isSet: boolean;
  /** The address for these fields; by default the same. */
  addressOf?: (fields: Query) => Query;
  children: ComponentChildren;
}>;

/** The filters of a list. Collapsed on a phone until one is set; then they stay open, so that clearing them keeps the focus. */
export function Filters({ title, label, filled, isSet, addressOf, children }: FiltersProps) {
  const form = useFormValues(filled);
  const isOpen = useRef(matchMedia("(min-width: 640px)").matches);
  isOpen.current ||= isSet;
  return (
    <details class="card filters" open={isOpen.current}>
      <summary>{title}</summary>
      <Form
        label={label}
        formRef={form}
        role="search"
        submit={async (fields) => go(route.value.page, addressOf?.(fields) ?? fields)}
        others={<Button text={t.lists.clear} aria-disabled={!isSet} onClick={() => isSet && go(route.value.page)} />}
      >
        {children}
      </Form>
    </details>
  );
}

type FilterChoiceProps = Readonly<{ label: string; name: string; of: Readonly<Record<string, string>> }>;

/** A choice of one value or any, which is applied at once. */
export function FilterChoice({ label, name, of }: FilterChoiceProps) {
  const send = ({ currentTarget }: Readonly<{ currentTarget: HTMLSelectElement }>): void =>
    currentTarget.form?.requestSubmit();
  return <Choice label={label} name={name} onChange={send} choices={[["", t.lists.any], ...Object.entries(of)]} />;
}
