import { type Signal, signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import type { BanItem } from "../../../src/admin/bans.ts";
import type { Page } from "../../../src/admin/declare/paging.ts";
import { t } from "../../admin-texts.ts";
import { get, queryOf } from "../../api.ts";
import { attempt } from "../../attempt.ts";
import { Turns } from "../../fields.tsx";
import { shortPrefix, whole } from "../../format.ts";
import { cleanupOf, onBans, onStale } from "../../live.ts";
import { type HeldRows, LiveList } from "../../live-list.ts";
import { Address, Button, Said, useLoaded, Waiting } from "../../parts.tsx";
import { go, route } from "../../route.ts";
import { LiveRows, WaitingRows } from "../../rows.tsx";
import { may } from "../../session.ts";
import { turnTo } from "../../shell.tsx";
import { LookUp, Parts } from "../list-parts.tsx";
import { AllowList } from "./allow-list.tsx";
import { lift } from "./ban-commands.ts";
import { BanForm, Ends } from "./ban-form.tsx";

const words = t.bans;

export function BansPage() {
  return (
    <Parts
      page="bans"
      parts={[
        { name: "in-force", title: words.inForce, show: BansInForce },
        { name: "allowed", title: words.allowed, show: AllowList },
      ]}
    />
  );
}

type BanPage = Page<BanItem> & Readonly<{ active: number }>;

const PAGE_ROWS = 50;
const MOST_SHOWN = 150;
const NOTHING: BanPage = { items: [], next: null, active: 0 };
const keyOf = ({ prefix }: BanItem): string => prefix;

function BansInForce() {
  const { before = "", text = "", ban: asked = "" } = route.value.query;
  const { data, error, reload } = useLoaded((over) => readList(text, before, over), [before, text]);
  const [isOpen, setOpen] = useState(asked !== "");
  useEffect(() => {
    if (asked !== "") setOpen(true);
  }, [asked]);
  const close = (): void => {
    setOpen(false);
    go("bans", { text, before }, "replace");
  };
  return (
    <>
      <div class="bar">
        <LookUp page="bans" label={words.search} placeholder="203.0.113." />
        <span class="spacer" />
        {may("ban") && (
          <Button
            shown={words.ban}
            class="danger"
            aria-expanded={isOpen}
            onClick={() => (isOpen ? close() : setOpen(true))}
          />
        )}
      </div>
      {isOpen && may("ban") && <BanForm key={asked} target={asked} close={close} />}
      <div class="bar">
        <span>{words.count(whole(data?.active.value ?? 0))}</span>
        <span class="spacer" />
        {data !== null && <WaitingRows rows={data.list.rows} />}
      </div>
      <Waiting data={data} error={error ?? data?.list.error.value ?? null} reload={reload} />
      {data !== null && <Rows list={data.list} text={text} before={before} />}
    </>
  );
}

type RowsProps = Readonly<{ list: LiveList<BanItem, BanPage>; text: string; before: string }>;

function Rows({ list: { rows, latest }, text, before }: RowsProps) {
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
        row={(item, isOver) => <BanRow ban={item} isOver={isOver} rows={rows} />}
      />
      <Turns
        first={before === "" ? null : () => turn(null)}
        next={latest.next === null && !rows.isCut.value ? null : older}
      />
    </>
  );
}

type BanRowProps = Readonly<{ ban: BanItem; isOver: boolean; rows: HeldRows<BanItem> }>;

function BanRow({ ban: item, isOver, rows }: BanRowProps) {
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
        <Said text={reason} /> <small>{source}</small>
      </span>
      <span class="when">
        <Ends at={expiresAt} isOver={isOver} />
      </span>
      {may("ban") && (
        <Button
          shown={words.unban}
          aria-disabled={isOver}
          aria-label={words.unbanOf(shortPrefix(prefix))}
          onClick={unban}
        />
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
  const follow = (list: LiveList<BanItem, BanPage>) =>
    cleanupOf(
      onStale(() => list.readAgain()),
      onBans(({ added, removed, total }) =>
        list.inOrder(() => {
          active.value = total;
          list.rows.end(new Set(removed));
          if (before === "") list.rows.add(added.filter((item) => isWanted(item, text)));
        }),
      ),
    );
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
