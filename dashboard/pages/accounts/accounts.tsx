import { useState } from "preact/hooks";
import type { AccountListItem } from "../../../src/admin/accounts.ts";
import type { CountedPage } from "../../../src/admin/declare/paging.ts";
import { t } from "../../admin-texts.ts";
import { get, queryOf } from "../../api.ts";
import { whole } from "../../format.ts";
import { language } from "../../messages.ts";
import { At, Field, fieldsOf, State, useFilled, useLoaded, Waiting } from "../../parts.tsx";
import { go, hrefOf, route } from "../../route.ts";
import { may } from "../../session.ts";
import { Heading } from "../../shell.tsx";
import { Pages } from "../list-parts.tsx";
import { AccountDetails } from "./account.tsx";
import { AliasList } from "./aliases.tsx";
import { AddAccount, ImportAccounts } from "./new-accounts.tsx";

export function AccountsPage() {
  const { show, name } = route.value.query;
  const words = t.value.accounts;
  if (!may("admin"))
    return (
      <>
        <Heading>{words.title}</Heading>
        <p class="empty">{words.notAllowed}</p>
      </>
    );
  const isAliases = show === "aliases";
  const current = (isIt: boolean): "page" | undefined => (isIt ? "page" : undefined);
  return (
    <>
      <Heading>{words.title}</Heading>
      <nav class="tabs" aria-label={words.which}>
        <a href={hrefOf("accounts")} aria-current={current(!isAliases)}>
          {words.tabs.accounts}
        </a>
        <a href={hrefOf("accounts", { show: "aliases" })} aria-current={current(isAliases)}>
          {words.tabs.aliases}
        </a>
      </nav>
      {isAliases && <AliasList />}
      {!isAliases && name === undefined && <AccountList />}
      {!isAliases && name !== undefined && <AccountDetails key={name} name={name} />}
    </>
  );
}

type Accounts = CountedPage<AccountListItem> & Readonly<{ passwordsOnServer: boolean }>;

export function AccountList() {
  const { text = "", before = "" } = route.value.query;
  const { data, error, reload } = useLoaded(
    () => get<Accounts>(`accounts${queryOf({ text, cursor: before, limit: 50 })}`),
    [text, before],
  );
  const [open, setOpen] = useState<"add" | "import" | null>(null);
  const form = useFilled({ text });
  const words = t.value.accounts;
  const close = (): void => setOpen(null);
  const toggle = (form: "add" | "import"): void => setOpen(open === form ? null : form);
  return (
    <>
      <div class="bar">
        <form
          ref={form}
          class="look-up"
          role="search"
          onSubmit={(event) => {
            event.preventDefault();
            go("accounts", fieldsOf(event.currentTarget));
          }}
        >
          <Field label={words.search} name="text" type="search" maxLength={200} />
          <button type="submit">{words.look}</button>
        </form>
        <span class="spacer" />
        {data?.passwordsOnServer === false && (
          <button type="button" class="primary" aria-expanded={open === "add"} onClick={() => toggle("add")}>
            {words.add}
          </button>
        )}
        <button type="button" aria-expanded={open === "import"} onClick={() => toggle("import")}>
          {words.importTitle}
        </button>
      </div>
      {data?.passwordsOnServer === true && <p class="hint">{words.onServer("add")}</p>}
      {open === "add" && <AddAccount added={reload} close={close} />}
      {open === "import" && (
        <ImportAccounts hashesOnly={data?.passwordsOnServer === true} imported={reload} close={close} />
      )}
      <Waiting error={error} reload={reload} isLoaded={data !== null} />
      {data !== null && (
        <>
          <div class="bar">{words.count(whole(data.total, language.value))}</div>
          {data.items.length === 0 && <p class="empty">{text === "" ? words.none : words.noneFound}</p>}
          <ul class="rows" aria-label={words.list}>
            {data.items.map((item) => (
              <li key={item.name} class="row">
                <AccountRow item={item} />
              </li>
            ))}
          </ul>
          <Pages page="accounts" query={{ text }} by="before" at={before} next={data.next} />
        </>
      )}
    </>
  );
}

function AccountRow({ item }: Readonly<{ item: AccountListItem }>) {
  const words = t.value.accounts;
  const { name, suspended, origin, guarded, held, networks, lastSignIn } = item;
  return (
    <>
      <span class="who">
        <a class="account" href={hrefOf("accounts", { name })}>
          <bdi>{name}</bdi>
        </a>
      </span>
      <span class="what">
        {origin === "unlisted" && <State status="degraded">{words.unlisted}</State>}
        {origin !== "unlisted" && suspended && <State status="degraded">{words.suspended}</State>}
        {!suspended && <State status="ok">{words.active}</State>}{" "}
        {guarded && <span class="badge">{words.guarded}</span>} {held && <span class="badge">{words.held}</span>}{" "}
        {networks.length > 0 && <span class="badge">{words.limited}</span>}
      </span>
      <span class="when">{lastSignIn === null ? words.never : <At iso={lastSignIn.at} how="distance" />}</span>
    </>
  );
}
