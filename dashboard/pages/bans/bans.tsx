import { useEffect, useState } from "preact/hooks";
import type { BanItem } from "../../../src/admin/bans.ts";
import { t } from "../../admin-texts.ts";
import { ActionButton, Form, RemoveButton } from "../../controls.tsx";
import { shortPrefix, whole } from "../../format.ts";
import { Address, Button, Field, isEmpty, OpenedCard, Rows, SafeText, useAnswer, Waiting } from "../../parts.tsx";
import { go, route } from "../../route.ts";
import { type BanList, LiveRows, useBans, WaitingRows } from "../../rows.tsx";
import { LookUp, PAGE_ROWS, Pager, tabbedPage } from "../list-parts.tsx";
import { type AllowedItem, allow, disallow, LONGEST_NOTE, lift } from "./ban-commands.ts";
import { BanDurationField, BanForm, Expiry } from "./ban-form.tsx";

const words = t.bans;

export const BansPage = tabbedPage([
  { name: "in-force", title: words.inForce, Content: BansInForce },
  { name: "allowed", title: words.allowed, Content: AllowList },
]);

function BansInForce() {
  const { before = "", text = "", ban: asked = "" } = route.value.query;
  const opened = useBans({ limit: PAGE_ROWS, text, cursor: before });
  const list = opened.data;
  const active = list?.latest.value?.active;
  const [isOpen, setOpen] = useState(asked !== "");
  useEffect(() => {
    if (asked !== "") setOpen(true);
  }, [asked]);
  const close = (): void => {
    setOpen(false);
    go("bans", { ...route.peek().query, ban: "" }, "replace");
  };
  const toggle = (): void => (isOpen ? close() : setOpen(true));
  return (
    <>
      <div class="bar">
        <LookUp label={words.search} placeholder="203.0.113." />
        <span class="spacer" />
        <Button text={words.ban} class="danger" aria-expanded={isOpen} onClick={toggle} />
      </div>
      {isOpen && <BanForm key={asked} target={asked} close={close} />}
      <div class="bar">
        <span>{active !== undefined && words.count(whole(active))}</span>
        <span class="spacer" />
        {list !== null && <WaitingRows rows={list.rows} />}
      </div>
      <Waiting {...opened} />
      {list !== null && <BanRows list={list} text={text} isCurrent={opened.isCurrent} />}
    </>
  );
}

function BanRows({ list, text, isCurrent }: Readonly<{ list: BanList; text: string; isCurrent: boolean }>) {
  const { rows } = list;
  const hasNone = isCurrent && rows.shown.value.length === 0;
  return (
    <>
      {hasNone && (
        <p class="empty" role="status">
          {text === "" ? words.none : words.noneFound}
        </p>
      )}
      <LiveRows
        label={words.list}
        rows={rows}
        row={(item, isOver) => <BanRow ban={item} isOver={isOver} list={list} />}
      />
      <Pager query={{ text }} next={rows.next.value} isEmpty={hasNone} />
    </>
  );
}

function BanRow({ ban: item, isOver, list }: Readonly<{ ban: BanItem; isOver: boolean; list: BanList }>) {
  const { prefix, level, reason, source, expiresAt } = item;
  const unban = async (): Promise<void> => {
    await lift(item, list.refresh);
    list.rows.end(prefix);
  };
  return (
    <>
      <span class="who">
        <Address of={prefix} />
        <span class={`badge ${level}`}>{words.levels[level]}</span>
      </span>
      <span class="what">
        <SafeText text={reason} /> <small>{source}</small>
      </span>
      <span class="when">
        <Expiry at={expiresAt} isOver={isOver} />
      </span>
      <ActionButton text={words.unban} isOff={isOver} label={words.unbanOf(shortPrefix(prefix))} run={unban} />
    </>
  );
}

function AllowList() {
  const { before = "" } = route.value.query;
  const list = useAnswer("GET /allow", { query: { limit: PAGE_ROWS, cursor: before } });
  const { data, reload } = list;
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <div class="bar">
        <span role="status">{data !== null && words.countAllowed(whole(data.total))}</span>
        <span class="spacer" />
        <Button text={words.allow} aria-expanded={isOpen} onClick={() => setOpen(!isOpen)} />
      </div>
      {isOpen && <AllowForm allowed={reload} close={() => setOpen(false)} />}
      <Rows of={list} none={words.noneAllowed} label={words.allowList}>
        {(item) => <AllowedRow key={`${item.from} ${item.prefix}`} item={item} changed={reload} />}
      </Rows>
      <Pager query={{ show: "allowed" }} next={data?.next ?? null} isEmpty={isEmpty(list)} />
    </>
  );
}

function AllowForm({ allowed, close }: Readonly<{ allowed: () => void; close: () => void }>) {
  const submit = ({ network = "", note = "", for: duration = "" }): Promise<void> =>
    allow({ network, note, for: duration }, allowed).then(close);
  return (
    <OpenedCard title={words.allow}>
      <Form label={words.allow} submit={submit} close={close}>
        <Field label={words.target} name="network" required maxLength={64} placeholder="203.0.113.0/24" />
        <Field label={words.reason} name="note" maxLength={LONGEST_NOTE} />
        <BanDurationField unset={words.durations.permanent} />
      </Form>
    </OpenedCard>
  );
}

function AllowedRow({ item, changed }: Readonly<{ item: AllowedItem; changed: () => void }>) {
  const { prefix, note, by, expiresAt, from } = item;
  return (
    <li class="row">
      <span class="who">
        <Address of={prefix} />
      </span>
      <span class="what">
        {note === "" ? words.noReason : <SafeText text={note} />}{" "}
        <small>{from === "settings" ? words.fromSettings : by}</small>
      </span>
      <span class="when">
        <Expiry at={expiresAt} />
      </span>
      {from === "command" && <RemoveButton name={shortPrefix(prefix)} run={() => disallow(item, changed)} />}
    </li>
  );
}
