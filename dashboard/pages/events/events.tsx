import { useEffect, useState } from "preact/hooks";
import type { EventItem } from "../../../src/admin/declare/items.ts";
import { eventName, t, toneOf } from "../../admin-texts.ts";
import { notify } from "../../attempt.ts";
import { ActionButton } from "../../controls.tsx";
import { csvOf, download } from "../../export.ts";
import { escapeInvisible, moment, whole } from "../../format.ts";
import { onEvents, onStale } from "../../live.ts";
import type { LiveList } from "../../live-list.ts";
import { Address, Button, Field, now, SafeText, Time, useAttempt, Waiting } from "../../parts.tsx";
import { hrefOf, type Query, route } from "../../route.ts";
import { LiveRows, useLiveList, WaitingRows } from "../../rows.tsx";
import { FilterChoice, Filters, Pager } from "../list-parts.tsx";
import { addressOf, type EventPage, fieldsFor, filterOf, findEvents, isFiltered, OF_EXPORT } from "./event-query.ts";

const words = t.events;

export function EventsPage() {
  const { before = "", ...query } = route.value.query;
  const filter = filterOf(query);
  const isLive = before === "" && filter.to === "";
  const [isPaused, setPaused] = useState(false);
  const opened = useLiveList<EventItem, EventPage>(
    {
      read: () => findEvents(filter, before || null),
      keyOf: ({ id }) => String(id),
      follows: isLive ? [onStale, onEvents] : [],
    },
    [hrefOf("events", route.value.query)],
  );
  const list = opened.data;
  useEffect(() => list?.rows.hold("reader", isPaused), [isPaused, list]);
  return (
    <>
      <EventFilters query={query} />
      <div class="bar">
        {isLive && list !== null && (
          <>
            <Button
              text={isPaused ? words.resume : words.pause}
              onClick={() => {
                // Even on a page that is scrolled down, where rows would otherwise wait.
                if (isPaused) list.rows.showLatest();
                setPaused(!isPaused);
              }}
            />
            <WaitingRows rows={list.rows} />
          </>
        )}
        <span class="spacer" />
        <ExportButtons query={query} />
      </div>
      <Waiting {...opened} />
      {list !== null && <EventList list={list} query={query} isCurrent={opened.isCurrent} />}
    </>
  );
}

type EventListProps = Readonly<{ list: LiveList<EventItem, EventPage>; query: Query; isCurrent: boolean }>;

function EventList({ list: { rows, latest }, query, isCurrent }: EventListProps) {
  const searchedTo = latest.value?.searchedTo ?? null;
  const next = rows.next.value;
  const isEmpty = isCurrent && rows.shown.value.length === 0;
  return (
    <>
      {isEmpty && (
        <p class="empty" role="status">
          {words.none}
        </p>
      )}
      <LiveRows label={words.list} rows={rows} row={(item) => <EventRow event={item} query={query} />} />
      <Pager query={query} next={next} nextLabel={isEmpty ? words.further : undefined}>
        {searchedTo !== null && next !== null && isFiltered(filterOf(query)) && (
          <span>{words.searched(moment(Date.parse(searchedTo), now.value))}</span>
        )}
      </Pager>
    </>
  );
}

function EventRow({ event, query }: Readonly<{ event: EventItem; query: Query }>) {
  const { type, at, ip, account, queueId, details, simulated } = event;
  const name = eventName(type);
  return (
    <>
      <Time iso={at} how="moment" />
      <a class="kind" href={hrefOf("events", { ...query, type })} title={words.only(name)}>
        <span class={`type ${toneOf(type)}`}>{name}</span>
      </a>
      <span class="who">
        {ip !== null && <Address of={ip} />}
        {account !== null && (
          <a
            class="account"
            href={hrefOf("events", { ...query, account })}
            title={words.only(escapeInvisible(account))}
          >
            <SafeText text={account} />
          </a>
        )}
        {queueId !== null && <Address of={queueId} />}
      </span>
      <span class="what">
        <SafeText text={details} />
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
      addressOf={addressOf}
    >
      <FilterChoice label={words.type} name="type" of={t.eventNames} />
      <Field label={t.bans.target} name="ip" maxLength={64} />
      <Field label={t.mail.account} name="account" maxLength={320} />
      <Field label={words.text} name="text" maxLength={200} />
      <Field label={words.from} name="from" type="datetime-local" />
      <Field label={words.to} name="to" type="datetime-local" />
    </Filters>
  );
}

/** Saves the events that match the page's filter as a file. Leaving the page stops this. */
function ExportButtons({ query }: Readonly<{ query: Query }>) {
  const [count, setCount] = useState(0);
  const busy = useAttempt();
  const [stop] = useState(() => new AbortController());
  useEffect(() => () => stop.abort(), []);
  const run = async (format: "CSV" | "JSON"): Promise<void> => {
    setCount(0);
    const search = { ...OF_EXPORT, stop: stop.signal, onProgress: setCount };
    const { items, searchedTo } = await findEvents(filterOf(query), null, search);
    if (stop.signal.aborted) return;
    const name = `ghostinbox-events-${new Date().toISOString().slice(0, 10)}.${format.toLowerCase()}`;
    // Without the mark, Excel takes the file for the system's code page.
    if (format === "CSV") download(name, "text/csv", `\ufeff${csvOf(items)}`);
    else download(name, "application/json", `${JSON.stringify(items, null, 1)}\n`);
    const end = searchedTo === null ? "" : ` ${words.searched(moment(Date.parse(searchedTo), now.value))}`;
    notify(`${words.exported(items.length)}${end}`);
  };
  return (
    <div class="buttons">
      <span>{busy.isBusy && words.exporting(whole(count))}</span>
      {(["CSV", "JSON"] as const).map((format) => (
        <ActionButton key={format} text={`${words.export} ${format}`} busy={busy} run={() => run(format)} />
      ))}
    </div>
  );
}
