import { useState } from "preact/hooks";
import type { TokenItem } from "../../../src/admin/access.ts";
import type { LIMITS } from "../../../src/guard/limits.ts";
import { endSessions, LastUse, SessionRow } from "../../access-rows.tsx";
import { t } from "../../admin-texts.ts";
import { type Answer, request } from "../../api.ts";
import { ActionButton, Choice, ConfirmButton, Form } from "../../controls.tsx";
import { isPast, whole } from "../../format.ts";
import { language } from "../../messages.ts";
import { Card, Field, Item, now, Rows, SafeText, Time, useAnswer } from "../../parts.tsx";
import { NotShown } from "../../rows.tsx";
import { Secret } from "../../secrets.tsx";
import { change, reader, withProof } from "../../session.ts";

const words = t.access;

const MOST_SHOWN = 100;
/** The maximum of the administrator. */
const MOST_SESSIONS: typeof LIMITS.dashboardSessions = 256;

export function SessionsCard() {
  const list = useAnswer("GET /sessions", { query: { limit: MOST_SESSIONS } });
  const { data, reload } = list;
  const endOthers = (): Promise<void> => endSessions(() => request("DELETE /sessions"), reload);
  const endOne = (id: string): Promise<void> =>
    endSessions(() => request("DELETE /sessions/{id}", { params: { id } }), reload);
  // The administrator's sessions come first, and all of them fit on this page.
  const isAlone = data?.items.every(({ isOwn, account }) => isOwn || account !== null) ?? true;
  const endAll = isAlone ? undefined : <ActionButton text={words.endAll} kind="danger" run={endOthers} />;
  return (
    <Card title={words.sessions} hint={words.sessionsHint} aside={endAll}>
      <Rows of={list}>
        {(item) => (
          <SessionRow key={item.id} item={item} account={item.account}>
            {!item.isOwn && (
              <ActionButton text={words.end} label={words.endOf(item.device, item.ip)} run={() => endOne(item.id)} />
            )}
          </SessionRow>
        )}
      </Rows>
      {data?.items.every(({ isOwn }) => isOwn) === true && <p class="empty">{t.browsers.alone}</p>}
      <NotShown of={data} text={(rest) => words.more(whole(rest), "session")} />
    </Card>
  );
}

export function TokensCard() {
  const list = useAnswer("GET /tokens", { query: { limit: MOST_SHOWN } });
  const { data, reload } = list;
  const revoke = (name: string): Promise<void> =>
    change(() => request("DELETE /tokens/{name}", { params: { name } }), reload, words.revoked(name));
  return (
    <Card title={words.tokens} hint={words.tokensHint}>
      <Rows of={list} none={words.noTokens}>
        {(item) => <TokenRow key={item.name} item={item} revoke={() => revoke(item.name)} />}
      </Rows>
      <NotShown of={data} text={(rest) => words.more(whole(rest), "token")} />
      <TokenForm made={reload} />
    </Card>
  );
}

function TokenRow({ item, revoke }: Readonly<{ item: TokenItem; revoke: () => Promise<void> }>) {
  const { name, scopes, createdBy, expiresAt, usedAt } = item;
  const isOver = isPast(expiresAt, now.value);
  const badges = scopes.map((scope) => (
    <span key={scope} class="badge">
      {scope}
    </span>
  ));
  const facts = (
    <>
      {expiresAt === null && words.never}
      {expiresAt !== null && (isOver ? words.over : <Time iso={expiresAt} how="distance" word={words.expires} />)},{" "}
      <LastUse at={usedAt} />, <SafeText text={words.madeBy(createdBy)} lang={language} />
    </>
  );
  return (
    <Item name={name} beside={badges} facts={facts}>
      <ConfirmButton label={words.revokeOf(name)} text={words.revoke} confirmText={words.surely(name)} run={revoke} />
    </Item>
  );
}

/** The choice of single scopes. The other choices are roles (src/core/access/scopes.ts), which the server accepts instead. */
const CHOSEN = "chosen";

type Role = keyof typeof words.roles;

function TokenForm({ made }: Readonly<{ made: () => void }>) {
  const [role, setRole] = useState<Role>("viewer");
  const [fresh, setFresh] = useState<Answer<"POST /tokens"> | null>(null);
  const submit = async ({ name = "", expires = "" }, form: HTMLFormElement): Promise<void> => {
    const ticked = new FormData(form).getAll("scope");
    const scopes = role === CHOSEN ? (reader.value?.scopes ?? []).filter((scope) => ticked.includes(scope)) : [role];
    if (scopes.length === 0) throw new Error(words.noScope);
    const body = { name, scopes, ...(expires === "" ? {} : { expires }) };
    setFresh(await withProof(() => request("POST /tokens", { body })).finally(made));
    setRole("viewer");
  };
  return (
    <>
      {fresh !== null && (
        <Secret
          message={words.made(fresh.name)}
          label={words.secret}
          secret={fresh.token}
          close={() => setFresh(null)}
        />
      )}
      <h3>{words.make}</h3>
      <Form label={words.make} clears submit={submit}>
        <Field label={words.name} name="name" required maxLength={64} />
        <Choice
          label={words.role}
          name="role"
          choices={Object.entries(words.roles)}
          value={role}
          // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the value of one of the choices
          onChange={({ currentTarget }) => setRole(currentTarget.value as Role)}
        />
        <Choice label={t.duration.label} name="expires" choices={Object.entries(words.durations)} chosen="90d" />
        {role === CHOSEN && (
          <fieldset class="choices">
            <legend>{words.scopes}</legend>
            {reader.value?.scopes.map((scope) => (
              <label key={scope}>
                <input type="checkbox" name="scope" value={scope} /> {scope}
              </label>
            ))}
          </fieldset>
        )}
      </Form>
    </>
  );
}
