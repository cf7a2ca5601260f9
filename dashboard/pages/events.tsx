import { useEffect, useState } from "preact/hooks";
import type { EventItem } from "../../src/wire/control/items.ts";
import { t } from "../admin-texts.ts";
import { eventName, toneOf } from "../event-names.ts";
import { type EventFilter, type Found, filterOf, findEvents, isFiltered, matches } from "../event-query.ts";
import { moment } from "../format.ts";
import { onEvents, onStale } from "../live.ts";
import { LiveList } from "../live-list.ts";
import { language } from "../messages.ts";
import { Address, At, now, Said, useLoaded, Waiting } from "../parts.tsx";
import { hrefOf, type Query, route } from "../route.ts";
import { LiveRows, WaitingRows } from "../rows.tsx";
import { Heading, turnTo } from "../shell.tsx";
import { EventFilters } from "./event-filters.tsx";
import { ExportButtons } from "./export-buttons.tsx";

const MOST_SHOWN = 150;
const NOTHING: Found = { items: [], next: null, searchedTo: null };

const keyOf = ({ id }: EventItem): string => String(id);

export function EventsPage() {
  const { before = "", ...query } = route.value.query;
  const asked = hrefOf("events", route.value.query);
  const [isPaused, setPaused] = useState(false);
  const { data, error, reload } = useLoaded((over) => readList(query, before, over), [asked]);

  useEffect(() => data?.list.rows.hold("reader", isPaused), [isPaused, data]);

  const words = t.value.events;
  return (
    <>
      <Heading>{words.title}</Heading>
      <EventFilters query={query} />
      <div class="bar">
        {data?.isLive === true && (
          <>
            <button type="button" aria-pressed={isPaused} onClick={() => setPaused(!isPaused)}>
              {isPaused ? words.resume : words.pause}
            </button>
            <WaitingRows rows={data.list.rows} text={words.waiting} />
          </>
        )}
        <span class="spacer" />
        <ExportButtons filter={filterOf(query)} />
      </div>
      <Waiting error={error ?? data?.list.error.value ?? null} reload={reload} isLoaded={data !== null} />
      {data !== null && <Page shown={data} query={query} before={before} />}
    </>
  );
}

/** The requested page of the list, which may be outdated by now. */
type Shown = Readonly<{ filter: EventFilter; list: LiveList<EventItem, Found>; isLive: boolean }>;

function Page({ shown, query, before }: Readonly<{ shown: Shown; query: Query; before: string }>) {
  const { filter, list } = shown;
  const { items, searchedTo } = list.latest;
  const rows = list.rows.shown.value;
  const next = list.rows.isCut.value ? String(rows.at(-1)?.id ?? "") : list.latest.next;
  const words = t.value.events;
  const turn = (cursor: string): void => turnTo("events", { ...query, before: cursor });
  return (
    <>
      {rows.length === 0 && <p class="empty">{words.none}</p>}
      <LiveRows
        label={words.list}
        rows={list.rows}
        keyOf={keyOf}
        row={(item) => <EventRow event={item} query={query} />}
      />
      <div class="bar">
        {searchedTo !== null && next !== null && isFiltered(filter) && (
          <span>{words.searched(moment(searchedTo, now.value, language.value))}</span>
        )}
        <span class="spacer" />
        {before !== "" && (
          <button type="button" onClick={() => turn("")}>
            {words.newest}
          </button>
        )}
        {next !== null && (
          <button type="button" onClick={() => turn(next)}>
            {items.length === 0 ? words.further : words.older}
          </button>
        )}
      </div>
    </>
  );
}

async function readList(query: Query, before: string, over: AbortSignal): Promise<Shown> {
  const filter = filterOf(query);
  const isLive = before === "" && filter.to === null;
  const read = () => findEvents(filter, before || null);
  const follow = (list: LiveList<EventItem, Found>) => (isLive ? followEvents(list, filter) : () => {});
  const list = await LiveList.open({ read, keyOf, most: MOST_SHOWN, follow }, NOTHING, over);
  return { filter, list, isLive };
}

/** New events that the filter wants, as they come. Returns what ends it. */
function followEvents(list: LiveList<EventItem, Found>, filter: EventFilter): () => void {
  const isOurs = filter.ip === "" && filter.account === "";
  const leave = [
    onStale(() => list.readAgain()),
    onEvents((items) => {
      if (isOurs) list.inOrder(() => list.rows.add(items.filter((item) => matches(item, filter))));
      else list.readNewest();
    }),
  ];
  return () => {
    for (const one of leave) one();
  };
}

function EventRow({ event, query }: Readonly<{ event: EventItem; query: Query }>) {
  const { type, at, ip, account, queueId, details, simulated } = event;
  const words = t.value.events;
  const name = eventName(type);
  return (
    <>
      <At iso={at} how="moment" />
      <a class="kind" href={hrefOf("events", { ...query, type })} title={words.only(name)}>
        <span class={`type ${toneOf(type)}`}>{name}</span>
      </a>
      <span class="who">
        {ip !== null && <Address of={ip} />}
        {account !== null && (
          <a class="account" href={hrefOf("events", { ...query, account })} title={words.only(account)}>
            <Said text={account} />
          </a>
        )}
        {queueId !== null && <Address of={queueId} />}
      </span>
      <span class="what">
        <Said text={details} />
        {simulated !== null && <span class="badge">simulate: {simulated}</span>}
      </span>
    </>
  );
}
