import { useEffect, useState } from "preact/hooks";
import type { BanItem } from "../../../src/admin/bans.ts";
import { t } from "../../admin-texts.ts";
import { ActionButton } from "../../fields.tsx";
import { shortPrefix, whole } from "../../format.ts";
import { Address, Button, Said, Waiting } from "../../parts.tsx";
import { go, route } from "../../route.ts";
import { type BanList, LiveRows, useBans, WaitingRows } from "../../rows.tsx";
import { LookUp, Pages, pageOf } from "../list-parts.tsx";
import { AllowList } from "./allow-list.tsx";
import { lift } from "./ban-commands.ts";
import { BanForm, Ends } from "./ban-form.tsx";

const words = t.bans;

export const BansPage = pageOf([
  { name: "in-force", title: words.inForce, show: BansInForce },
  { name: "allowed", title: words.allowed, show: AllowList },
]);

const PAGE_ROWS = 50;

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
    go("bans", { text, before }, "replace");
  };
  const toggle = (): void => (isOpen ? close() : setOpen(true));
  return (
    <>
      <div class="bar">
        <LookUp label={words.search} placeholder="203.0.113." />
        <span class="spacer" />
        <Button shown={words.ban} class="danger" aria-expanded={isOpen} onClick={toggle} />
      </div>
      {isOpen && <BanForm key={asked} target={asked} close={close} />}
      <div class="bar">
        <span>{active !== undefined && words.count(whole(active))}</span>
        <span class="spacer" />
        {list !== null && <WaitingRows rows={list.rows} />}
      </div>
      <Waiting {...opened} />
      {list !== null && <Rows list={list} text={text} />}
    </>
  );
}

function Rows({ list, text }: Readonly<{ list: BanList; text: string }>) {
  const { rows } = list;
  return (
    <>
      {rows.shown.value.length === 0 && (
        <p class="empty" role="status">
          {text === "" ? words.none : words.noneFound}
        </p>
      )}
      <LiveRows
        label={words.list}
        rows={rows}
        row={(item, isOver) => <BanRow ban={item} isOver={isOver} list={list} />}
      />
      <Pages query={{ text }} next={rows.next.value} />
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
        <Said text={reason} /> <small>{source}</small>
      </span>
      <span class="when">
        <Ends at={expiresAt} isOver={isOver} />
      </span>
      <ActionButton shown={words.unban} isOff={isOver} label={words.unbanOf(shortPrefix(prefix))} run={unban} />
    </>
  );
}
