import type { ComponentChildren } from "preact";
import type { DetailedAccount } from "../../../src/admin/accounts.ts";
import { LastUse } from "../../access-rows.tsx";
import { t } from "../../admin-texts.ts";
import { request } from "../../api.ts";
import { notify } from "../../attempt.ts";
import { ActionButton, ConfirmRemove } from "../../controls.tsx";
import { isPast, size, whole } from "../../format.ts";
import {
  Address,
  Card,
  Fact,
  Item,
  LinkButton,
  now,
  SafeText,
  State,
  Time,
  useAnswer,
  useLoaded,
  Waiting,
} from "../../parts.tsx";
import { go, hrefOf, route } from "../../route.ts";
import { change, withProof } from "../../session.ts";
import { AccountChanges, followsFile, type Props } from "./account-changes.tsx";

const words = t.accounts;
const own = t.accountOwn;

export function AccountDetails({ name }: Readonly<{ name: string }>) {
  const account = useAnswer("GET /accounts/{name}", { params: { name } });
  return (
    <>
      <div class="bar">
        <LinkButton text={words.back} href={hrefOf("accounts")} />
        <LinkButton text={words.story} href={hrefOf("find", { q: name })} />
      </div>
      <Waiting {...account} />
      {account.data !== null && <Account account={account.data} changed={account.reload} />}
    </>
  );
}

function Account(props: Props) {
  const { account } = props;
  const isOfFile = followsFile(account);
  return (
    <>
      <Facts {...props} />
      {isOfFile && <p class="hint">{words.ofFile}</p>}
      {!isOfFile && account.passwordsOnServer && <p class="hint">{words.onServer(`passwd ${account.name}`)}</p>}
      <div class="columns">
        <AccountChanges {...props} />
        <div class="stack">
          <AccountOwn account={account} />
          <AliasesOf account={account} />
          {account.origin !== "listed" && <Removal name={account.name} />}
        </div>
      </div>
    </>
  );
}

function Facts({ account, changed }: Props) {
  const { name, suspended, origin, guarded, held, lastSignIn, use, quotaBytes, usualQuotaBytes, createdAt } = account;
  const quota = quotaBytes ?? usualQuotaBytes;
  const full = quota === 0 ? words.noLimit : size(quota);
  return (
    <Card title={name}>
      <ul>
        <Fact title={t.mail.state}>
          <AccountState suspended={suspended} origin={origin} />
        </Fact>
        {guarded !== null && <Fact title={words.guarded}>{words.guardedSays(whole(guarded.guesses))}</Fact>}
        {held !== null && <Fact title={words.held}>{words.heldSays}</Fact>}
        <Fact title={words.lastSignIn}>
          {lastSignIn === null ? (
            words.never
          ) : (
            <>
              <Time iso={lastSignIn.at} how="moment" /> {words.from} <Address of={lastSignIn.from} />
            </>
          )}
        </Fact>
        <Fact title={words.use}>
          {use === null ? words.useUnknown : words.useOf(size(use.usedBytes), full, whole(use.mails))}
        </Fact>
        <Fact title={words.since}>
          <Time iso={createdAt} how="moment" />
        </Fact>
      </ul>
      <p class="hint">{words.suspendSays}</p>
      <div class="buttons">{origin !== "unlisted" && <Suspension account={account} changed={changed} />}</div>
    </Card>
  );
}

export function AccountState({ suspended, origin }: Pick<DetailedAccount, "suspended" | "origin">) {
  if (!suspended) return <State status="ok">{words.active}</State>;
  return <State status="degraded">{origin === "unlisted" ? words.unlisted : words.suspended}</State>;
}

function Suspension({ account: { name, suspended }, changed }: Props) {
  const asked = { params: { name } };
  const suspend = (): Promise<void> =>
    change(
      () => request("POST /accounts/{name}/suspend", asked),
      changed,
      ({ held }) => words.suspendedNow(name, whole(held)),
    );
  // Further mail may still be held.
  const resume = (): Promise<void> =>
    change(
      () => request("POST /accounts/{name}/resume", asked),
      changed,
      ({ isHeld }) => words.resumedNow(name, isHeld),
    );
  return <ActionButton text={suspended ? words.resume : words.suspend} run={suspended ? resume : suspend} />;
}

function AliasesOf({ account: { name, aliases, aliasesTotal } }: Readonly<{ account: DetailedAccount }>) {
  return (
    <Card title={words.aliasesOf}>
      {aliases.length === 0 && <p class="empty">{words.noAliases}</p>}
      <ul>
        {aliases.map(({ address, blocked }) => (
          <li key={address}>
            <SafeText text={address} /> {blocked && <small>{words.blocked}</small>}
          </li>
        ))}
      </ul>
      {aliasesTotal > 0 && (
        <a href={hrefOf("accounts", { show: "aliases", text: name })}>{words.allAliases(whole(aliasesTotal))}</a>
      )}
    </Card>
  );
}

function Removal({ name }: Readonly<{ name: string }>) {
  const run = async (): Promise<void> => {
    const { forwardsEnded } = await withProof(() => request("DELETE /accounts/{name}", { params: { name } }));
    notify(`${words.removed(name)}${words.forwardsEnded(forwardsEnded)}`);
    const { page, query } = route.peek();
    if (page === "accounts" && query["name"] === name) go("accounts");
  };
  return (
    <Card title={t.removeOf(name)}>
      <p>{words.removeSays(name)}</p>
      <div class="buttons">
        <ConfirmRemove name={name} run={run} />
      </div>
    </Card>
  );
}

/** The app passwords, the forwarding and the reply of the mailbox, which a thief may have set. */
function AccountOwn({ account }: Pick<Props, "account">) {
  const { name } = account;
  const asked = { params: { name } };
  // Loaded again with the account, because a new password removes app passwords.
  const loaded = useLoaded(async () => {
    const [apps, forwarding, { vacation }] = await Promise.all([
      request("GET /accounts/{name}/app-passwords", asked),
      request("GET /accounts/{name}/forwarding", asked),
      request("GET /accounts/{name}/vacation", asked),
    ]);
    return { apps: apps.items, forwarding, vacation };
  }, [account]);
  const { data, reload } = loaded;
  const end = (what: string, ask: () => Promise<unknown>): Promise<void> => change(ask, reload, own.ended(what));
  return (
    <Card title={own.title}>
      <Waiting {...loaded} />
      {data !== null && (
        <>
          {data.apps.length === 0 && data.forwarding.to.length === 0 && data.vacation === null && (
            <p class="empty">{own.none}</p>
          )}
          <ul class="rows">
            {data.apps.map(({ id, name: app, madeBy, lastUsed }) => (
              <Row
                key={id}
                what={`${own.app} ${app}`}
                ask={() => request("DELETE /accounts/{name}/app-passwords/{id}", { params: { name, id } })}
                end={end}
              >
                <LastUse at={lastUsed} />, {own.by} <SafeText text={madeBy ?? ""} />
              </Row>
            ))}
            {data.forwarding.to.length > 0 && (
              <Row what={own.forwarding} ask={() => request("DELETE /accounts/{name}/forwarding", asked)} end={end}>
                <SafeText text={data.forwarding.to.join(", ")} /> ({data.forwarding.keep ? own.copy : own.noCopy})
              </Row>
            )}
            {data.vacation !== null && (
              <Row what={own.reply} ask={() => request("DELETE /accounts/{name}/vacation", asked)} end={end}>
                <SafeText text={[data.vacation.subject, data.vacation.text].filter((part) => part !== "").join(": ")} />
                {data.vacation.until !== null && (
                  <>
                    {" "}
                    ({isPast(data.vacation.until, now.value) ? own.over : own.until}{" "}
                    <Time iso={data.vacation.until} how="moment" />)
                  </>
                )}
              </Row>
            )}
          </ul>
        </>
      )}
    </Card>
  );
}

type RowProps = Readonly<{
  what: string;
  ask: () => Promise<unknown>;
  end: (what: string, ask: () => Promise<unknown>) => Promise<void>;
  children: ComponentChildren;
}>;

function Row({ what, ask, end, children }: RowProps) {
  return (
    <Item name={what} facts={children}>
      <ConfirmRemove name={own.inSentence(what)} run={() => end(what, ask)} />
    </Item>
  );
}
