import { useState } from "preact/hooks";
import type { AliasItem } from "../../../src/admin/aliases.ts";
import type { CountedPage } from "../../../src/admin/declare/paging.ts";
import { t } from "../../admin-texts.ts";
import { get, post, queryOf, remove } from "../../api.ts";
import { attempt, tell } from "../../attempt.ts";
import { Form, Remove } from "../../fields.tsx";
import { whole } from "../../format.ts";
import { language } from "../../messages.ts";
import { Card, Field, fieldsOf, Said, State, useFilled, useLoaded, useOpened, Waiting } from "../../parts.tsx";
import { withProof } from "../../proof.tsx";
import { go, route } from "../../route.ts";
import { Pages } from "../list-parts.tsx";

export function AliasList() {
  const { text = "", before = "" } = route.value.query;
  const { data, error, reload } = useLoaded(
    () => get<CountedPage<AliasItem>>(`aliases${queryOf({ text, cursor: before, limit: 50 })}`),
    [text, before],
  );
  const [isOpen, setOpen] = useState(false);
  const form = useFilled({ text });
  const words = t.value.accounts;
  const search = (event: Event): void => {
    event.preventDefault();
    go("accounts", { show: "aliases", ...fieldsOf(event.currentTarget) });
  };
  return (
    <>
      <div class="bar">
        <form ref={form} class="look-up" role="search" onSubmit={search}>
          <Field label={words.aliasSearch} name="text" type="search" maxLength={200} />
          <button type="submit">{words.look}</button>
        </form>
        <span class="spacer" />
        <button type="button" class="primary" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {words.addAlias}
        </button>
      </div>
      {isOpen && <AddAlias added={reload} close={() => setOpen(false)} />}
      <Waiting error={error} reload={reload} isLoaded={data !== null} />
      {data !== null && (
        <>
          <div class="bar">{words.aliasCount(whole(data.total, language.value))}</div>
          {data.items.length === 0 && <p class="empty">{words.noAlias}</p>}
          <ul class="rows" aria-label={words.aliasList}>
            {data.items.map((item) => (
              <li key={item.address} class="row alias">
                <AliasRow item={item} changed={reload} />
              </li>
            ))}
          </ul>
          <Pages page="accounts" query={{ show: "aliases", text }} by="before" at={before} next={data.next} />
        </>
      )}
    </>
  );
}

type RowProps = Readonly<{ item: AliasItem; changed: () => void }>;

function AliasRow({ item: { address, targets, blocked }, changed }: RowProps) {
  const words = t.value.accounts;
  const path = `aliases/${encodeURIComponent(address)}`;
  const block = (): void =>
    attempt(async () => {
      await withProof(() => post(`${path}/${blocked ? "unblock" : "block"}`, {}));
      tell(words.aliasBlocked(address, !blocked));
      changed();
    });
  const end = async (): Promise<void> => {
    await withProof(() => remove(path));
    tell(words.aliasRemoved(address));
    changed();
  };
  return (
    <>
      <p>
        <strong>
          <Said text={address} />
        </strong>{" "}
        {blocked && <State status="degraded">{words.blocked}</State>}
        <br />
        <small>
          {words.goesTo} <Said text={targets.join(", ")} />
        </small>
      </p>
      <div class="buttons">
        <button type="button" aria-label={words.blockOf(address, blocked)} onClick={block}>
          {blocked ? words.unblock : words.block}
        </button>
        <Remove name={address} run={end} />
      </div>
    </>
  );
}

function AddAlias({ added, close }: Readonly<{ added: () => void; close: () => void }>) {
  const place = useOpened();
  const words = t.value.accounts;
  const submit = async ({ address = "", targets = "" }): Promise<void> => {
    const each = targets.match(/[^\s,]+/g) ?? [];
    await withProof(() => post("aliases", { address, targets: each }));
    tell(words.aliasAdded(address, each.join(", ")));
    added();
    close();
  };
  return (
    <Card title={words.addAlias} place={place}>
      <Form label={words.addAlias} submit={submit} close={close}>
        <Field label={words.alias} name="address" type="email" required maxLength={254} />
        <Field label={words.targets} name="targets" required maxLength={2_000} />
      </Form>
    </Card>
  );
}
