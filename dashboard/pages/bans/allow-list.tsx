import { useState } from "preact/hooks";
import type { CountedPage } from "../../../src/admin/declare/paging.ts";
import { t } from "../../admin-texts.ts";
import { queryOf } from "../../api.ts";
import { Form, TakeOff } from "../../fields.tsx";
import { shortPrefix, whole } from "../../format.ts";
import { Address, Button, Field, OpenedCard, Rows, Said, useGet } from "../../parts.tsx";
import { route } from "../../route.ts";
import { Pages } from "../list-parts.tsx";
import { type AllowedItem, allow, disallow, LONGEST_NOTE } from "./ban-commands.ts";
import { Durations, Ends } from "./ban-form.tsx";

const words = t.bans;

export function AllowList() {
  const { before = "" } = route.value.query;
  const list = useGet<CountedPage<AllowedItem>>(`allow${queryOf({ limit: 50, cursor: before })}`);
  const { data, reload } = list;
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <div class="bar">
        <span role="status">{data !== null && words.countAllowed(whole(data.total))}</span>
        <span class="spacer" />
        <Button shown={words.allow} aria-expanded={isOpen} onClick={() => setOpen(!isOpen)} />
      </div>
      {isOpen && <AllowForm allowed={reload} close={() => setOpen(false)} />}
      <Rows of={list} none={words.noneAllowed} label={words.allowList}>
        {(item) => <AllowedRow key={`${item.from} ${item.prefix}`} item={item} changed={reload} />}
      </Rows>
      <Pages query={{ show: "allowed" }} next={data?.next ?? null} />
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
        <Durations unset={words.durations.permanent} />
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
        {note === "" ? words.noReason : <Said text={note} />}{" "}
        <small>{from === "settings" ? words.fromSettings : by}</small>
      </span>
      <span class="when">
        <Ends at={expiresAt} />
      </span>
      {from === "command" && <TakeOff name={shortPrefix(prefix)} run={() => disallow(item, changed)} />}
    </li>
  );
}
