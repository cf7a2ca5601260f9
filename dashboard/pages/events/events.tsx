import { useEffect, useState } from "preact/hooks";
import type { EventItem } from "../../../src/admin/declare/items.ts";
import { eventName, t, toneOf } from "../../admin-texts.ts";
import { attempt, tell } from "../../attempt.ts";
import { csvOf, save } from "../../export.ts";
import { Choice, Turns } from "../../fields.tsx";
import { moment, whole } from "../../format.ts";
import { cleanupOf, onEvents, onStale } from "../../live.ts";
import { LiveList } from "../../live-list.ts";
import { Address, At, Button, Field, now, Said, useLoaded, Waiting } from "../../parts.tsx";
import { go, hrefOf, type Query, route } from "../../route.ts";
import { LiveRows, WaitingRows } from "../../rows.tsx";
import { turnTo } from "../../shell.tsx";
import { Filters, sendForm } from "../list-parts.tsx";
import {
  addressOf,
  type EventFilter,
  type Found,
  fieldsFor,
  filterOf,
  findEvents,
  isFiltered,
  readForExport,
} from "./event-query.ts";

const words = t.events;

const NOTHING: Found = { items: [], next: null, searchedTo: null };

const keyOf = ({ id }: EventItem): string => String(id);

export function EventsPage() {
  const { before = "", ...query } = route.value.query;
  const asked = hrefOf("events", route.value.query);
  const [isPaused, setPaused] = useState(false);
  const { data, error, reload } = useLoaded((over) => readList(query, before, over), [asked]);

  useEffect(() => data?.list.rows.hold("reader", isPaused), [isPaused, data]);

  return (
    <>
      <EventFilters query={query} />
      <div class="bar">
        {data?.isLive === true && (
          <>
            <Button
              shown={isPaused ? words.resume : words.pause}
              aria-pressed={isPaused}
              onClick={() => setPaused(!isPaused)}
            />
            <WaitingRows rows={data.list.rows} />
          </>
        )}
        <span class="spacer" />
        <ExportButtons filter={filterOf(query)} />
      </div>
      <Waiting data={data} error={error ?? data?.list.error.value ?? null} reload={reload} />
      {data !== null && <Page shown={data} query={query} before={before} />}
    </>
  );
}

/** The requested page of the list, which may be outdated by now. */
type Shown = Readonly<{ filter: EventFilter; list: LiveList<EventItem, Found>; isLive: boolean }>;

function Page({ shown, query, before }: Readonly<{ shown: Shown; query: Query; before: string }>) {
  const { filter, list } = shown;
  const { searchedTo } = list.latest;
  const rows = list.rows.shown.value;
  const next = list.rows.next.value;
  const turn = (cursor: string): void => turnTo("events", { ...query, before: cursor });
  return (
    <>
      {rows.length === 0 && <p class="empty">{words.none}</p>}
      <LiveRows label={words.list} rows={list.rows} row={(item) => <EventRow event={item} query={query} />} />
      <Turns
        first={before === "" ? null : () => turn("")}
        next={next === null ? null : () => turn(next)}
        nextLabel={rows.length === 0 ? words.further : undefined}
      >
        {searchedTo !== null && next !== null && isFiltered(filter) && (
          <span>{words.searched(moment(searchedTo, now.value))}</span>
        )}
      </Turns>
    </>
  );
}

async function readList(query: Query, before: string, over: AbortSignal): Promise<Shown> {
  const filter = filterOf(query);
  const isLive = before === "" && filter.to === null;
  const read = () => findEvents(filter, before || null);
  const follow = ({ refresh }: LiveList<EventItem, Found>) =>
    isLive ? cleanupOf(onStale(refresh), onEvents(refresh)) : () => {};
  const list = await LiveList.open({ read, keyOf, follow }, NOTHING, over);
  return { filter, list, isLive };
}

function EventRow({ event, query }: Readonly<{ event: EventItem; query: Query }>) {
  const { type, at, ip, account, queueId, details, simulated } = event;
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

function EventFilters({ query }: Readonly<{ query: Query }>) {
  return (
    <Filters
      title={words.filters}
      label={words.apply}
      filled={fieldsFor(query)}
      isSet={Object.values(query).some((value) => value !== "")}
      search={(fields) => go("events", addressOf(fields))}
      clear={() => turnTo("events", {})}
    >
      <Choice
        label={words.type}
        name="type"
        onChange={sendForm}
        choices={[["", words.anyType], ...Object.entries(t.eventNames)]}
      />
      <Field label={t.bans.target} name="ip" maxLength={64} />
      <Field label={t.mail.account} name="account" maxLength={320} />
      <Field label={words.text} name="text" maxLength={200} />
      <Field label={words.from} name="from" type="datetime-local" />
      <Field label={words.to} name="to" type="datetime-local" />
    </Filters>
  );
}

type Format = "csv" | "json";

/** Saves what the filter wants as a file. Leaving the page stops it. */
function ExportButtons({ filter }: Readonly<{ filter: EventFilter }>) {
  const [count, setCount] = useState<number | null>(null);
  const [stop] = useState(() => new AbortController());
  useEffect(() => () => stop.abort(), []);
  const start = (format: Format): void => {
    if (count !== null) return;
    setCount(0);
    attempt(() => saveAs(format, filter, stop.signal, setCount).finally(() => setCount(null)));
  };
  return (
    <div class="buttons">
      <span>{count !== null && words.exporting(whole(count))}</span>
      {(["csv", "json"] as const).map((format) => (
        <Button
          key={format}
          shown={`${words.export} ${format.toUpperCase()}`}
          aria-disabled={count !== null}
          onClick={() => start(format)}
        />
      ))}
    </div>
  );
}

async function saveAs(
  format: Format,
  filter: EventFilter,
  stop: AbortSignal,
  progress: (count: number) => void,
): Promise<void> {
  const read = await readForExport(filter, stop, progress);
  if (read === null) return;
  const { items, searchedTo } = read;
  const name = `ghostinbox-events-${new Date().toISOString().slice(0, 10)}.${format}`;
  if (format === "csv") save(name, "text/csv", csvOf(items));
  else save(name, "application/json", `${JSON.stringify(items, null, 1)}\n`);
  const end = searchedTo === null ? "" : ` ${words.searched(moment(searchedTo, Date.now()))}`;
  tell(`${words.exported(items.length)}${end}`);
}
