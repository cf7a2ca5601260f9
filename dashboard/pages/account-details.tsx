import type { ComponentChildren } from "preact";
import type { DetailedAccount } from "../../src/wire/verbs/accounts.ts";
import { t } from "../admin-texts.ts";
import { get, post, remove } from "../api.ts";
import { attempt, tell } from "../attempt.ts";
import { size, whole } from "../format.ts";
import { language } from "../messages.ts";
import { Address, At, Card, Said, State, useLoaded, Waiting } from "../parts.tsx";
import { withProof } from "../proof.tsx";
import { go, hrefOf } from "../route.ts";
import { AccountNetworks, AccountPassword, AccountQuota, type Props } from "./account-changes.tsx";
import { AccountOwn } from "./account-own.tsx";
import { Surely } from "./surely.tsx";

export function AccountDetails({ name }: Readonly<{ name: string }>) {
  const { data, error, reload } = useLoaded(() => get<DetailedAccount>(`accounts/${encodeURIComponent(name)}`), [name]);
  const words = t.value.accounts;
  return (
    <>
      <div class="bar">
        <a class="button" href={hrefOf("accounts")}>
          {words.back}
        </a>
        <a class="button" href={hrefOf("find", { q: name })}>
          {words.story}
        </a>
      </div>
      <Waiting error={error} reload={reload} isLoaded={data !== null} />
      {data !== null && <Account account={data} changed={reload} />}
    </>
  );
}

function Account({ account, changed }: Props) {
  const words = t.value.accounts;
  const isOfFile = account.origin === "listed" || account.origin === "unlisted";
  return (
    <>
      <Facts account={account} changed={changed} />
      {isOfFile && <p class="hint">{words.ofFile}</p>}
      {!isOfFile && account.passwordsOnServer && <p class="hint">{words.onServer(`passwd ${account.name}`)}</p>}
      <div class="columns">
        {!isOfFile && !account.passwordsOnServer && <AccountPassword account={account} changed={changed} />}
        {!isOfFile && <AccountQuota account={account} changed={changed} />}
        <AccountNetworks account={account} changed={changed} />
        <AccountOwn account={account} />
        <AliasesOf account={account} />
        {account.origin !== "listed" && <Removal name={account.name} />}
      </div>
    </>
  );
}

function Facts({ account, changed }: Props) {
  const words = t.value.accounts;
  const { name, suspended, origin, guarded, held, lastSignIn, use, quotaBytes, usualQuotaBytes, createdAt } = account;
  const quota = quotaBytes ?? usualQuotaBytes;
  const spoken = language.value;
  const full = quota === 0 ? words.noLimit : size(quota, spoken);
  return (
    <Card title={name}>
      <ul>
        <Fact title={words.state}>
          {origin === "unlisted" && <State status="degraded">{words.unlisted}</State>}
          {origin !== "unlisted" && suspended && <State status="degraded">{words.suspended}</State>}
          {!suspended && <State status="ok">{words.active}</State>}
        </Fact>
        {guarded !== null && <Fact title={words.guarded}>{words.guardedSays(whole(guarded.guesses, spoken))}</Fact>}
        {held !== null && <Fact title={words.held}>{words.heldSays}</Fact>}
        <Fact title={words.lastSignIn}>
          {lastSignIn === null ? (
            words.never
          ) : (
            <>
              <At iso={lastSignIn.at} how="moment" /> {words.from} <Address of={lastSignIn.from} />
            </>
          )}
        </Fact>
        <Fact title={words.use}>
          {use === null ? words.useUnknown : words.useOf(size(use.usedBytes, spoken), full, whole(use.mails, spoken))}
        </Fact>
        <Fact title={words.since}>
          <At iso={createdAt} how="moment" />
        </Fact>
      </ul>
      <p class="hint">{words.suspendSays}</p>
      <div class="buttons">{origin !== "unlisted" && <Suspension account={account} changed={changed} />}</div>
    </Card>
  );
}

function Fact({ title, children }: Readonly<{ title: string; children: ComponentChildren }>) {
  return (
    <li class="row brief">
      <strong>{title}</strong> <span>{children}</span>
    </li>
  );
}

function Suspension({ account: { name, suspended }, changed }: Props) {
  const words = t.value.accounts;
  const change = (): void =>
    attempt(async () => {
      const verb = suspended ? "resume" : "suspend";
      const ask = () => post<{ held: number }>(`accounts/${encodeURIComponent(name)}/${verb}`, {});
      const { held } = await withProof(ask);
      tell(suspended ? words.resumedNow(name) : words.suspendedNow(name, whole(held, language.value)));
      changed();
    });
  return (
    <button type="button" onClick={change}>
      {suspended ? words.resume : words.suspend}
    </button>
  );
}

function AliasesOf({ account: { name, aliases, aliasesTotal } }: Readonly<{ account: DetailedAccount }>) {
  const words = t.value.accounts;
  return (
    <Card title={words.aliasesOf}>
      {aliases.length === 0 && <p class="empty">{words.noAliases}</p>}
      <ul>
        {aliases.map(({ address, blocked }) => (
          <li key={address}>
            <Said text={address} /> {blocked && <small>{words.blocked}</small>}
          </li>
        ))}
      </ul>
      {aliasesTotal > 0 && (
        <a href={hrefOf("accounts", { show: "aliases", text: name })}>
          {words.allAliases(whole(aliasesTotal, language.value))}
        </a>
      )}
    </Card>
  );
}

function Removal({ name }: Readonly<{ name: string }>) {
  const words = t.value.accounts;
  const run = async (): Promise<void> => {
    await withProof(() => remove(`accounts/${encodeURIComponent(name)}`));
    tell(words.removed(name));
    go("accounts");
  };
  return (
    <Card title={words.remove}>
      <p>{words.removeSays(name)}</p>
      <div class="buttons">
        <Surely label={words.removeOf(name)} shown={words.remove} surely={words.surely(name)} run={run} />
      </div>
    </Card>
  );
}
