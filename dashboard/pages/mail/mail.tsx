import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { t } from "../../admin-texts.ts";
import { withoutEmpty } from "../../format.ts";
import { Button, Field, useAnswer, Waiting } from "../../parts.tsx";
import { type Query, route } from "../../route.ts";
import { FilterChoice, Filters, PAGE_ROWS, Pager, tabbedPage } from "../list-parts.tsx";
import { MailGreylist, MailSpam } from "./filters.tsx";
import { MailHeld } from "./held.tsx";
import { type Chosen, changeQueue, type QueueAction } from "./mail-commands.ts";
import { QueueRow, QueueSelection } from "./queue-rows.tsx";

const words = t.mail;

export const MailPage = tabbedPage([
  { name: "queue", title: words.queue, Content: MailQueue },
  { name: "held", title: words.held, Content: MailHeld },
  { name: "greylist", title: words.greylist, Content: MailGreylist },
  { name: "spam", title: words.spam, Content: MailSpam },
]);

const FILTERS = ["account", "sender", "recipient", "state"] as const;

function MailQueue() {
  const { query } = route.value;
  const filter: Query = Object.fromEntries(FILTERS.map((name) => [name, query[name] ?? ""]));
  const cursor = query["after"] ?? "";
  const asked = { query: { ...filter, limit: PAGE_ROWS, cursor } };
  const list = useAnswer("GET /queue", asked);
  // The old filter's rows are shown until the new ones arrive; an action before that would use the new filter.
  const { data, isCurrent: mayAct, reload } = list;
  const [ticked, setTicked] = useState<ReadonlySet<string>>(new Set());
  useEffect(() => setTicked(new Set()), [JSON.stringify(asked)]);
  const rows = useRef<HTMLUListElement>(null);
  const acted = useRef<string | null>(null);
  // The action may remove the pressed button, and with it the focus. The row's next button takes the focus before the heading would.
  useLayoutEffect(() => {
    const row = rows.current?.querySelector(`[data-mail="${acted.current}"]`);
    // The button is still there: this may answer a request from before the action.
    if (row?.contains(document.activeElement)) return;
    acted.current = null;
    if (document.activeElement === document.body) row?.querySelector("button")?.focus();
  }, [data]);

  const act = async (action: QueueAction, chosen: Chosen): Promise<void> => {
    const id = "ids" in chosen ? (chosen.ids[0] ?? null) : null;
    acted.current = id;
    try {
      // A search covers only mail that it has counted.
      const meant = "ids" in chosen ? chosen : withoutEmpty({ ...chosen, until: data?.newestAt ?? "" });
      await changeQueue(action, meant, reload);
      setTicked(new Set());
    } finally {
      // An answer to an earlier request may have arrived while it ran.
      acted.current = id;
      reload();
    }
  };
  const select = (id: string, isOn: boolean): void =>
    setTicked((last) => new Set([...last].filter((one) => one !== id).concat(isOn ? [id] : [])));
  const isFiltered = Object.values(filter).some((value) => value !== "");
  const items = data?.items ?? [];
  const selected = new Set(items.flatMap(({ queueId }) => (ticked.has(queueId) ? [queueId] : [])));
  return (
    <>
      <QueueFilters filter={filter} isSet={isFiltered} />
      <div class="bar">
        <span role="status">{data !== null && words.count(data.total)}</span>
        <span class="spacer" />
        <Button text={t.lists.refresh} onClick={reload} />
      </div>
      <Waiting {...list} />
      {mayAct && data !== null && items.length > 0 && (
        <QueueSelection of={data} selected={selected} setSelected={setTicked} filter={filter} act={act} />
      )}
      {mayAct && data?.total === 0 && <p class="empty">{isFiltered ? words.noneFits : words.empty}</p>}
      <ul ref={rows} class="rows" aria-label={words.list}>
        {items.map((item) => (
          <QueueRow key={item.queueId} item={item} selected={selected} select={select} act={mayAct ? act : null} />
        ))}
      </ul>
      <Pager query={filter} by="after" next={data?.next ?? null} isEmpty={mayAct && items.length === 0} />
    </>
  );
}

function QueueFilters({ filter, isSet }: Readonly<{ filter: Query; isSet: boolean }>) {
  return (
    <Filters title={t.lists.search} label={t.lists.search} filled={filter} isSet={isSet}>
      <Field label={words.account} name="account" maxLength={320} />
      <Field label={words.sender} name="sender" maxLength={320} />
      <Field label={words.recipient} name="recipient" maxLength={320} />
      <FilterChoice label={words.state} name="state" of={words.states} />
    </Filters>
  );
}
