import { useState } from "preact/hooks";
import type { AccountListItem } from "../../../src/admin/accounts.ts";
import type { CountedPage } from "../../../src/admin/declare/paging.ts";
import { t } from "../../admin-texts.ts";
import { queryOf } from "../../api.ts";
import { whole } from "../../format.ts";
import { At, Button, Rows, useGet } from "../../parts.tsx";
import { hrefOf, route } from "../../route.ts";
import { LookUp, Pages, pageOf } from "../list-parts.tsx";
import { AccountDetails, AccountState } from "./account.tsx";
import { AliasList } from "./aliases.tsx";
import { AddAccount, ImportAccounts } from "./new-accounts.tsx";

const words = t.accounts;

export const AccountsPage = pageOf([
  { name: "accounts", title: words.accounts, show: Accounts },
  { name: "aliases", title: words.aliases, show: AliasList },
]);

function Accounts() {
  const { name } = route.value.query;
  return name === undefined ? <AccountList /> : <AccountDetails key={name} name={name} />;
}

type AccountPage = CountedPage<AccountListItem> & Readonly<{ passwordsOnServer: boolean }>;

function AccountList() {
  const { text = "", before = "" } = route.value.query;
  const list = useGet<AccountPage>(`accounts${queryOf({ text, cursor: before, limit: 50 })}`);
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
          <Button shown={words.add} class="primary" aria-expanded={open === "add"} onClick={() => toggle("add")} />
        )}
        <Button shown={words.importTitle} aria-expanded={open === "import"} onClick={() => toggle("import")} />
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
      <Pages query={{ text }} next={data?.next ?? null} />
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
      <span class="when">{lastSignIn === null ? words.never : <At iso={lastSignIn.at} how="distance" />}</span>
    </li>
  );
}
