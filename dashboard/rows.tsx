import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { BanItem } from "../src/admin/bans.ts";
import type { Page } from "../src/admin/declare/paging.ts";
import { t } from "./admin-texts.ts";
import { request } from "./api.ts";
import { escapeInvisible } from "./format.ts";
import { onBans, onStale } from "./live.ts";
import { type HeldRows, type ListPage, type LiveList, openList } from "./live-list.ts";
import { Button, useLoaded } from "./parts.tsx";

/** The server's advice, with commands between backquotes. */
export function Advice({ text }: Readonly<{ text: string }>) {
  return (
    <bdi lang="en">
      {escapeInvisible(text)
        .split("`")
        .map((part, index) => (index % 2 === 0 ? part : <code key={index}>{part}</code>))}
    </bdi>
  );
}

/** A page that is scrolled further than this is being read, and new rows above would push it down. */
const SCROLLED_PX = 160;

type LiveProps<T> = Readonly<{
  label: string;
  rows: HeldRows<T>;
  row: (item: T, isOver: boolean) => ComponentChildren;
}>;

/** Opens the list again when one of `inputs` changes; the old one stays until then. */
export function useLiveList<T, A extends ListPage<T>>(
  parts: Parameters<typeof openList<T, A>>[0],
  inputs: readonly unknown[],
) {
  const { data, error, isCurrent, reload } = useLoaded((abort) => openList(parts, abort), inputs);
  // A list that could not be opened follows nothing, so it is tried again once the stream is back.
  const hasFailed = error !== null;
  useEffect(() => (hasFailed ? onStale(reload) : undefined), [hasFailed]);
  return { data, error: error ?? data?.error.value ?? null, isCurrent, reload };
}

/** `active`: how many are in force. */
type BanPage = Page<BanItem> & Readonly<{ active: number }>;
export type BanList = LiveList<BanItem, BanPage>;

/** The newest bans in force that `query` names. */
export function useBans(query: Readonly<{ limit: number; text?: string; cursor?: string }>) {
  return useLiveList<BanItem, BanPage>(
    { read: () => request("GET /bans", { query }), keyOf: ({ prefix }) => prefix, follows: [onStale, onBans] },
    Object.values(query),
  );
}

/** A live list, each row keyed. It holds still while the pointer or the focus is in it, and on devices without a pointer. */
export function LiveRows<T>({ label, rows, row }: LiveProps<T>) {
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    // A finger gives no warning of where it will tap.
    const updateHold = (): void => rows.hold("touch", matchMedia("(hover: none)").matches || scrollY > SCROLLED_PX);
    updateHold();
    // Other rows may move under a resting pointer, which causes no event.
    rows.hold("pointer", list.current?.matches(":hover") ?? false);
    rows.hold("focus", list.current?.contains(document.activeElement) ?? false);
    window.addEventListener("scroll", updateHold, { passive: true });
    return () => window.removeEventListener("scroll", updateHold);
  }, [rows]);
  return (
    <ul
      ref={list}
      class="rows"
      aria-label={label}
      onPointerEnter={() => rows.hold("pointer", true)}
      onPointerLeave={() => rows.hold("pointer", false)}
      onFocusIn={() => rows.hold("focus", true)}
      // When the focus moves from one row to the next, it leaves an element but not the list.
      onFocusOut={({ currentTarget, relatedTarget }) =>
        rows.hold("focus", relatedTarget instanceof Node && currentTarget.contains(relatedTarget))
      }
    >
      {rows.shown.value.map((item) => {
        const isOver = rows.ended.value.has(rows.keyOf(item));
        return (
          <li key={rows.keyOf(item)} class={isOver ? "row over" : "row"}>
            {row(item, isOver)}
          </li>
        );
      })}
    </ul>
  );
}

/** How many new rows wait. Always takes up its space, so that nothing moves when rows arrive, and keeps the focus when pressed. */
export function WaitingRows<T>({ rows }: Readonly<{ rows: HeldRows<T> }>) {
  const count = rows.waiting.value;
  return <Button text={t.lists.fresh(count)} class="waiting" aria-disabled={count === "0"} onClick={rows.showLatest} />;
}

type NotShownProps = Readonly<{
  of: Readonly<{ items: readonly unknown[]; total: number }> | null;
  text?: (rest: number) => string;
}>;

/** Says how many rows the list omits. */
export function NotShown({ of, text = t.lists.notShown }: NotShownProps) {
  const rest = of === null ? 0 : of.total - of.items.length;
  return rest > 0 ? <p class="hint">{text(rest)}</p> : null;
}

/** The first cell of each row is its heading. */
export function Table({ head, rows }: Readonly<{ head: readonly string[]; rows: readonly (readonly string[])[] }>) {
  return (
    <table>
      <thead>
        <tr>
          {head.map((cell) => (
            <th key={cell} scope="col">
              {cell}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(([first, ...cells], row) => (
          <tr key={row}>
            <th scope="row">{first}</th>
            {cells.map((cell, column) => (
              <td key={column}>{cell}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
