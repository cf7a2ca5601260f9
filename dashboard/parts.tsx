import { computed, signal } from "@preact/signals";
import { type ComponentChildren, Fragment, type JSX, type RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Health } from "../src/admin/declare/items.ts";
import {
  type Answer,
  afterFailure,
  clockOffsetMs,
  type Failure,
  isOf,
  type Load,
  NOTHING_LOADED,
  pathOf,
  type RequestOf,
  type Route,
  request,
} from "./api.ts";
import { oneAtATime, reportFailure } from "./attempt.ts";
import { escapeInvisible, moment, relativeTime, shortPrefix } from "./format.ts";
import { type Language, language, t } from "./messages.ts";
import { ignoreHeld } from "./press.ts";
import { hrefOf, type Query } from "./route.ts";

const TICK_MS = 10_000;
const GLYPHS = { ok: "●", degraded: "▲", down: "■" } as const;

const browserTime = signal(Date.now());
if (typeof window !== "undefined") setInterval(() => (browserTime.value = Date.now()), TICK_MS);
/** The time by the server's clock. */
export const now = computed(() => browserTime.value + clockOffsetMs.value);
/** For data that is read again once a minute. */
export const minute = computed(() => Math.floor(now.value / 60_000));

/** A state as a word and a shape, because colour must not be the only sign. */
export function State({ status, children }: Readonly<{ status: Health["status"]; children?: ComponentChildren }>) {
  return (
    <span class={`state ${status}`}>
      <span aria-hidden="true">{GLYPHS[status]}</span> {children ?? t.state[status]}
    </span>
  );
}

type SafeTextProps = Readonly<{ text: string; lang?: string; within?: "strong" | "p" | "li" }>;

/** Text from strangers, or from the server about them. Isolated, whatever its direction, and with invisible characters escaped. */
export function SafeText({ text, lang = "en", within }: SafeTextProps) {
  const Around = within ?? Fragment;
  return (
    <Around>
      <bdi lang={lang}>{escapeInvisible(text)}</bdi>
    </Around>
  );
}

/** A time, after a word for what happens then. The exact time is its title. */
export function Time({ iso, how, word = "" }: Readonly<{ iso: string; how: "moment" | "distance"; word?: string }>) {
  const at = Date.parse(iso);
  const text = how === "moment" ? moment(at, now.value) : relativeTime(at, now.value);
  const exact = new Date(at).toLocaleString(language, { dateStyle: "medium", timeStyle: "medium" });
  return (
    <>
      {word}
      {word !== "" && " "}
      <time dateTime={iso} title={exact}>
        {text}
      </time>
    </>
  );
}

/** Links to everything that is known about an address, a network, or a mail by its queue id. */
export function Address({ of }: Readonly<{ of: string }>) {
  const short = shortPrefix(of);
  const shown = escapeInvisible(short);
  return (
    <a class="address" href={hrefOf("find", { q: short })} title={t.explain(shown)}>
      <bdi>{shown}</bdi>
    </a>
  );
}

type CardProps = Readonly<{
  title: string;
  hint?: string;
  children: ComponentChildren;
  aside?: ComponentChildren;
  section?: RefObject<HTMLElement | null>;
}>;

export function Card({ title, hint, children, aside, section }: CardProps) {
  return (
    <section ref={section ?? null} tabIndex={section && -1} class="card" aria-label={escapeInvisible(title)}>
      <div class="title">
        <h2>{escapeInvisible(title)}</h2>
        {aside}
      </div>
      {hint !== undefined && <p class="hint">{hint}</p>}
      {children}
    </section>
  );
}

/** A card that takes the focus (`useFocusOnOpen`). */
export function OpenedCard(props: CardProps) {
  return <Card {...props} section={useFocusOnOpen()} />;
}

export function Field({ label, ...input }: Readonly<{ label: string }> & JSX.IntrinsicElements["input"]) {
  return (
    <label class="field">
      <span>{label}</span>
      <input autocomplete="off" spellcheck={false} {...input} />
    </label>
  );
}

export function Button({ text, ...button }: Readonly<{ text: string }> & JSX.IntrinsicElements["button"]) {
  return (
    <button type="button" onKeyDown={ignoreHeld} {...button}>
      {text}
    </button>
  );
}

export function LinkButton({ text, ...link }: Readonly<{ text: string }> & JSX.IntrinsicElements["a"]) {
  return (
    <a class="button" {...link}>
      {text}
    </a>
  );
}

/** `isCurrent`: `data` answers the current question. */
export type Loaded<T> = Readonly<{ data: T | null; error: Failure | null; isCurrent: boolean; reload: () => void }>;

/**
 * Loads when one of `inputs` changes, and again on request or when `news` changes; the old data stays until then. Aborts the
 * signal of `load` once its data is no longer needed.
 */
export function useLoaded<T>(
  load: (abort: AbortSignal) => Promise<T>,
  inputs: readonly unknown[],
  news: unknown = null,
): Loaded<T> {
  const [state, setState] = useState<Load<T>>(NOTHING_LOADED);
  const [reloads, setReloads] = useState(0);
  const asked = JSON.stringify(inputs);
  useEffect(() => {
    const abort = new AbortController();
    load(abort.signal).then(
      (data) => abort.signal.aborted || setState({ data, error: null, asked }),
      (error: unknown) => {
        if (!abort.signal.aborted) reportFailure(error, (why) => setState((last) => afterFailure(last, asked, why)));
      },
    );
    return () => abort.abort();
  }, [...inputs, news, reloads]);
  const { data, error } = state;
  return { data, error, isCurrent: isOf(state, asked), reload: () => setReloads((last) => last + 1) };
}

/** As `useLoaded`, from this route. */
export function useAnswer<R extends Route & `GET ${string}`>(
  route: R,
  asked: RequestOf<R>,
  news: unknown = null,
): Loaded<Answer<R>> {
  return useLoaded(() => request(route, asked), [pathOf(route, asked)], news);
}

/** Loads a part of the page's program. A page that was open during an upgrade of the server can't load parts that it lacks. */
export function useProgram<T>(load: () => Promise<T>): Loaded<T> {
  return useLoaded(
    () =>
      load().catch((cause: unknown) => {
        throw new Error(t.live.outdated, { cause });
      }),
    [],
  );
}

/** Focuses a part when it opens. When it closes, the focus returns to what opened it or, if that is gone, as `useKeptFocus` says. */
export function useFocusOnOpen(): RefObject<HTMLElement | null> {
  const opened = useRef<HTMLElement>(null);
  // Runs before the part is painted: later, it would take the focus from a field that the reader has reached.
  useLayoutEffect(() => {
    const part = opened.current;
    const opener = document.activeElement;
    part?.focus();
    return () => {
      const has = document.activeElement;
      if (has !== document.body && part?.contains(has) !== true) return;
      if (opener instanceof HTMLElement) opener.focus();
    };
  }, []);
  return opened;
}

export type Attempts = Readonly<{ isBusy: boolean; attempt: ReturnType<typeof oneAtATime> }>;

/** For a button or a form that must not send a request again while the first one runs. `shared`: with others that must wait too. */
export function useAttempt(shared?: Attempts): Attempts {
  const [isBusy, setBusy] = useState(false);
  const [attempt] = useState(() => oneAtATime(setBusy));
  return shared ?? { isBusy, attempt };
}

/** Shows that the answer to the current question is loading, or why it could not be loaded, even above old data. */
export function Waiting({ isCurrent, error, reload }: Omit<Loaded<unknown>, "data">) {
  if (error === null)
    return isCurrent ? null : (
      <p class="empty" role="status">
        {t.live.loading}
      </p>
    );
  return (
    <p class="empty" role="alert">
      {t.live.failed} <SafeText {...error} /> <Button text={t.live.retry} onClick={reload} />
    </p>
  );
}

type RowsProps<T> = Readonly<{
  of: Loaded<Readonly<{ items: readonly T[] }>>;
  none?: string | undefined;
  /** Only for a list that is not in a card. */
  label?: string;
  children: (item: T, index: number) => ComponentChildren;
}>;

/** Whether the list is empty; not while the answer to an earlier question is shown. */
export function isEmpty({ data, isCurrent }: RowsProps<unknown>["of"]): boolean {
  return isCurrent && data?.items.length === 0;
}

export function Rows<T>({ of, none, label, children }: RowsProps<T>) {
  return (
    <>
      <Waiting {...of} />
      {none !== undefined && isEmpty(of) && <p class="empty">{none}</p>}
      <ul class="rows" aria-label={label}>
        {of.data?.items.map(children)}
      </ul>
    </>
  );
}

type ItemProps = Readonly<{
  name: string;
  lang?: Language;
  beside?: ComponentChildren;
  facts?: ComponentChildren;
  children?: ComponentChildren;
}>;

/** A row: a name, facts about it, and its buttons. */
export function Item({ name, lang = language, beside, facts, children }: ItemProps) {
  return (
    <li class="row act">
      <p>
        <SafeText within="strong" text={name} lang={lang} /> {beside}
        {facts !== undefined && <br />}
        <small>{facts}</small>
      </p>
      {children}
    </li>
  );
}

export function Fact({ title, children }: Readonly<{ title: string; children: ComponentChildren }>) {
  return (
    <li class="row brief">
      <strong>{title}</strong> <span>{children}</span>
    </li>
  );
}

/** Fills the form from the address whenever that changes. In between, the reader may change the fields. */
export function useFormValues(query: Query): RefObject<HTMLFormElement | null> {
  const form = useRef<HTMLFormElement>(null);
  // Runs before the form is painted, when nothing has been typed into it yet.
  useLayoutEffect(() => {
    for (const field of form.current?.elements ?? [])
      if (field instanceof HTMLInputElement || field instanceof HTMLSelectElement)
        field.value = query[field.name] ?? "";
  }, [JSON.stringify(query)]);
  return form;
}

/** The fields of a form by their names, without spaces around them, except for passwords. */
export function fieldsOf(form: EventTarget | null): Readonly<Record<string, string>> {
  const fields: Record<string, string> = {};
  if (form instanceof HTMLFormElement)
    for (const [name, value] of new FormData(form))
      if (typeof value === "string") fields[name] = name === "password" ? value : value.trim();
  return fields;
}
