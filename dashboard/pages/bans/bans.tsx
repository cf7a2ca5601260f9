import { type Signal, signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import type { BanItem } from "../../../src/admin/bans.ts";
import type { Page } from "../../../src/admin/declare/paging.ts";
import { t } from "../../admin-texts.ts";
import { get, queryOf } from "../../api.ts";
import { attempt } from "../../attempt.ts";
import { Turns } from "../../fields.tsx";
import { shortPrefix, whole } from "../../format.ts";
import { onBans, onStale } from "../../live.ts";
import { type HeldRows, LiveList } from "../../live-list.ts";
import { language } from "../../messages.ts";
import { Address, At, Field, fieldsOf, Said, useFilled, useLoaded, Waiting } from "../../parts.tsx";
import { go, hrefOf, route } from "../../route.ts";
import { LiveRows, WaitingRows } from "../../rows.tsx";
import { may } from "../../session.ts";
import { Heading, turnTo } from "../../shell.tsx";
import { AllowList } from "./allow-list.tsx";
import { lift } from "./ban-commands.ts";
import { BanForm } from "./ban-form.tsx";

export function BansPage() {
  const { show } = route.value.query;
  const words = t.value.bans;
  const isAllowList = show === "allowed";
  const current = (isIt: boolean): "page" | undefined => (isIt ? "page" : undefined);
  return (
    <>
      <Heading>{words.title}</Heading>
      <nav class="tabs" aria-label={words.which}>
        <a href={hrefOf("bans")} aria-current={current(!isAllowList)}>
          {words.inForce}
        </a>
        <a href={hrefOf("bans", { show: "allowed" })} aria-current={current(isAllowList)}>
          {words.allowed}
        </a>
      </nav>
      {isAllowList ? <AllowList /> : <BansInForce />}
    </>
  );
}

type BanPage = Page<BanItem> & Readonly<{ active: number }>;

const PAGE_ROWS = 50;
const MOST_SHOWN = 150;
const NOTHING: BanPage = { items: [], next: null, active: 0 };
const keyOf = ({ prefix }: BanItem): string => prefix;

export function BansInForce() {
  const { before = "", text = "", ban: asked = "" } = route.value.query;
  const { data, error, reload } = useLoaded((over) => readList(text, before, over), [before, text]);
  const [isOpen, setOpen] = useState(asked !== "");
  useEffect(() => {
    if (asked !== "") setOpen(true);
  }, [asked]);

  const words = t.value.bans;
  const form = useFilled({ text });
  const close = (): void => {
    setOpen(false);
    go("bans", { text, before }, "replace");
  };
  return (
    <>
      <div class="bar">
        <form ref={form} class="look-up" role="search" onSubmit={search}>
          <Field label={words.search} name="text" type="search" maxLength={200} placeholder="203.0.113." />
          <button type="submit">{words.look}</button>
        </form>
        <span class="spacer" />
        {may("ban") && (
          <button
            type="button"
            class="danger"
            aria-expanded={isOpen}
            onClick={() => (isOpen ? close() : setOpen(true))}
          >
            {words.ban}
          </button>
        )}
      </div>
      {isOpen && may("ban") && (
        <BanForm key={asked} target={asked} close={close} banned={(item) => data?.list.rows.add([item])} />
      )}
      <div class="bar">
        <span>{words.count(whole(data?.active.value ?? 0, language.value))}</span>
        <span class="spacer" />
        {data !== null && <WaitingRows rows={data.list.rows} text={words.waiting} />}
      </div>
      <Waiting error={error ?? data?.list.error.value ?? null} reload={reload} isLoaded={data !== null} />
      {data !== null && <Rows list={data.list} text={text} before={before} />}
    </>
  );
}

type RowsProps = Readonly<{ list: LiveList<BanItem, BanPage>; text: string; before: string }>;

function Rows({ list: { rows, latest }, text, before }: RowsProps) {
  const words = t.value.bans;
  const turn = (cursor: string | null): void => turnTo("bans", { text, before: cursor ?? "" });
  // No ban knows its place: where rows fell off the end, the pages are counted again, and start with some that were shown.
  const older = (): void =>
    attempt(async () => turn(rows.isCut.value ? (await readBans(text, before)).next : latest.next));
  return (
    <>
      {rows.shown.value.length === 0 && <p class="empty">{text === "" ? words.none : words.noneFound}</p>}
      <LiveRows
        label={words.list}
        rows={rows}
        keyOf={keyOf}
        row={(item, isOver) => <BanRow ban={item} isOver={isOver} rows={rows} />}
      />
      <Turns
        newest={before === "" ? null : () => turn(null)}
        older={latest.next === null && !rows.isCut.value ? null : older}
      />
    </>
  );
}

type BanRowProps = Readonly<{ ban: BanItem; isOver: boolean; rows: HeldRows<BanItem> }>;

function BanRow({ ban: item, isOver, rows }: BanRowProps) {
  const words = t.value.bans;
  const { prefix, level, reason, source, expiresAt } = item;
  // It stays where the focus is, also once it does nothing any more.
  const unban = (): void => {
    if (isOver) return;
    attempt(async () => {
      await lift(item, (again) => rows.add([again]));
      rows.end(new Set([prefix]));
    });
  };
  return (
    <>
      <span class="who">
        <Address of={prefix} />
        <span class={`badge ${level}`}>{words.levels[level]}</span>
      </span>
      <span class="what">
        <Said text={reason || words.noReason} /> <small>{source}</small>
      </span>
      <span class="when">
        {isOver ? words.over : expiresAt === null ? words.never : <At iso={expiresAt} how="distance" />}
      </span>
      {may("ban") && (
        <button type="button" aria-disabled={isOver} aria-label={words.unbanOf(shortPrefix(prefix))} onClick={unban}>
          {words.unban}
        </button>
      )}
    </>
  );
}

/** The requested page of the list, which may be outdated by now. `active`: how many are in force. */
type Shown = Readonly<{ list: LiveList<BanItem, BanPage>; active: Signal<number> }>;

async function readList(text: string, before: string, over: AbortSignal): Promise<Shown> {
  const active = signal(0);
  const read = async (): Promise<BanPage> => {
    const page = await readBans(text, before);
    active.value = page.active;
    return page;
  };
  const follow = (list: LiveList<BanItem, BanPage>): (() => void) => {
    const leave = [
      onStale(() => list.readAgain()),
      onBans(({ added, removed, total }) =>
        list.inOrder(() => {
          active.value = total;
          list.rows.end(new Set(removed));
          if (before === "") list.rows.add(added.filter((item) => isWanted(item, text)));
        }),
      ),
    ];
    return () => {
      for (const one of leave) one();
    };
  };
  const list = await LiveList.open({ read, keyOf, most: MOST_SHOWN, follow }, NOTHING, over);
  return { list, active };
}

/** As the server searches. */
function isWanted({ prefix, reason, source }: BanItem, text: string): boolean {
  return `${prefix} ${reason} ${source}`.toLowerCase().includes(text.toLowerCase());
}

async function readBans(text: string, cursor: string): Promise<BanPage> {
  return get<BanPage>(`bans${queryOf({ limit: PAGE_ROWS, text, cursor })}`);
}

function search(event: Event): void {
  event.preventDefault();
  go("bans", fieldsOf(event.currentTarget));
}
