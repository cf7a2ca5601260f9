import { useState } from "preact/hooks";
import type { AccountListItem } from "../../../src/admin/accounts.ts";
import type { AliasItem } from "../../../src/admin/aliases.ts";
import { t } from "../../admin-texts.ts";
import { request } from "../../api.ts";
import { ActionButton, ConfirmRemove, Form } from "../../controls.tsx";
import { whole } from "../../format.ts";
import { Button, Field, Item, isEmpty, OpenedCard, Rows, SafeText, State, Time, useAnswer } from "../../parts.tsx";
import { hrefOf, route } from "../../route.ts";
import { change } from "../../session.ts";
import { LookUp, PAGE_ROWS, Pager, tabbedPage } from "../list-parts.tsx";
import { AccountDetails, AccountState } from "./account.tsx";
import { AddAccount, ImportAccounts } from "./new-accounts.tsx";

const words = t.accounts;

export const AccountsPage = tabbedPage([
  { name: "accounts", title: words.accounts, Content: Accounts },
  { name: "aliases", title: words.aliases, Content: AliasList },
]);

function Accounts() {
  const { name } = route.value.query;
  return name === undefined ? <AccountList /> : <AccountDetails key={name} name={name} />;
}

function AccountList() {
  const { text = "", before = "" } = route.value.query;
  const list = useAnswer("GET /accounts", { query: { text, cursor: before, limit: PAGE_ROWS } });
  const { data, reload } = list;
  const [open, setOpen] = useState<"add" | "import" | null>(null);
  const close = (): void => setOpen(null);
  const toggle = (form: "add" | "import"): void => setOpen(open === form ? null : form);
  return (
    <>
      <div class="bar">
        <LookUp label={words.search} />
        <span class="spacer" />
        {data?.passwordsOnServer === false && (
          <Button text={words.add} class="primary" aria-expanded={open === "add"} onClick={() => toggle("add")} />
        )}
        <Button text={words.importTitle} aria-expanded={open === "import"} onClick={() => toggle("import")} />
      </div>
      {data?.passwordsOnServer === true && <p class="hint">{words.onServer("add")}</p>}
      {open === "add" && <AddAccount added={reload} close={close} />}
      {open === "import" && (
        <ImportAccounts hashesOnly={data?.passwordsOnServer === true} imported={reload} close={close} />
      )}
      {data !== null && <p role="status">{words.count(whole(data.total))}</p>}
      <Rows of={list} none={text === "" ? words.none : words.noneFound} label={words.list}>
        {(item) => <AccountRow key={item.name} {...item} />}
      </Rows>
      <Pager query={{ text }} next={data?.next ?? null} isEmpty={isEmpty(list)} />
    </>
  );
}

function AccountRow({ name, suspended, origin, guarded, held, networks, lastSignIn }: AccountListItem) {
  return (
    <li class="row">
      <span class="who">
        <a class="account" href={hrefOf("accounts", { name })}>
          <bdi>{name}</bdi>
        </a>
      </span>
      <span class="what">
        <AccountState suspended={suspended} origin={origin} /> {guarded && <span class="badge">{words.guarded}</span>}{" "}
        {held && <span class="badge">{words.held}</span>}{" "}
        {networks.length > 0 && <span class="badge">{words.limited}</span>}
      </span>
      <span class="when">{lastSignIn === null ? words.never : <Time iso={lastSignIn.at} how="distance" />}</span>
    </li>
  );
}

function AliasList() {
  const { text = "", before = "" } = route.value.query;
  const list = useAnswer("GET /aliases", { query: { text, cursor: before, limit: PAGE_ROWS } });
  const { data, reload } = list;
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <div class="bar">
        <LookUp query={{ show: "aliases" }} label={words.aliasSearch} />
        <span class="spacer" />
        <Button text={words.addAlias} class="primary" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)} />
      </div>
      {isOpen && <AddAlias added={reload} close={() => setOpen(false)} />}
      {data !== null && <p role="status">{words.aliasCount(whole(data.total))}</p>}
      <Rows of={list} none={text === "" ? words.noAlias : words.noAliasFound} label={words.aliasList}>
        {(item) => <AliasRow key={item.address} item={item} changed={reload} />}
      </Rows>
      <Pager query={{ show: "aliases", text }} next={data?.next ?? null} isEmpty={isEmpty(list)} />
    </>
  );
}

type RowProps = Readonly<{ item: AliasItem; changed: () => void }>;

function AliasRow({ item: { address, targets, blocked }, changed }: RowProps) {
  const asked = { params: { address } };
  const verb = blocked ? "unblock" : "block";
  const block = (): Promise<void> =>
    change(() => request(`POST /aliases/{address}/${verb}`, asked), changed, words.aliasBlocked(address, !blocked));
  const end = (): Promise<void> =>
    change(
      () => request("DELETE /aliases/{address}", asked),
      changed,
      ({ forwardsEnded }) => `${words.aliasRemoved(address)}${words.forwardsEnded(forwardsEnded)}`,
    );
  const facts = (
    <>
      {words.goesTo} <SafeText text={targets.join(", ")} />
    </>
  );
  return (
    <Item name={address} beside={blocked && <State status="degraded">{words.blocked}</State>} facts={facts}>
      <div class="buttons">
        <ActionButton
          text={blocked ? words.unblock : words.block}
          label={words.blockOf(address, blocked)}
          run={block}
        />
        <ConfirmRemove name={address} run={end} />
      </div>
    </Item>
  );
}

function AddAlias({ added, close }: Readonly<{ added: () => void; close: () => void }>) {
  const submit = ({ address = "", targets = "" }): Promise<void> => {
    const body = { address, targets: targets.match(/[^\s,]+/g) ?? [] };
    return change(() => request("POST /aliases", { body }), added, words.aliasAdded).then(close);
  };
  return (
    <OpenedCard title={words.addAlias}>
      <Form label={words.addAlias} submit={submit} close={close}>
        <Field label={words.alias} name="address" type="email" required maxLength={254} />
        <Field label={words.targets} name="targets" required />
      </Form>
    </OpenedCard>
  );
}
