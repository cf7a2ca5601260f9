import { t } from "../admin-texts.ts";
import { hrefOf, route } from "../route.ts";
import { may } from "../session.ts";
import { Heading } from "../shell.tsx";
import { AccountDetails } from "./account-details.tsx";
import { AccountList } from "./account-list.tsx";
import { AliasList } from "./alias-list.tsx";

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
