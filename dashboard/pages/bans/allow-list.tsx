import { useState } from "preact/hooks";
import type { Page } from "../../../src/admin/declare/paging.ts";
import { t } from "../../admin-texts.ts";
import { get, queryOf } from "../../api.ts";
import { attempt } from "../../attempt.ts";
import { Form, Turns } from "../../fields.tsx";
import { shortPrefix, whole } from "../../format.ts";
import { language } from "../../messages.ts";
import { Address, At, Card, Field, Said, useLoaded, useOpened, Waiting } from "../../parts.tsx";
import { route } from "../../route.ts";
import { may } from "../../session.ts";
import { turnTo } from "../../shell.tsx";
import { type AllowedItem, allow, disallow, LONGEST_NOTE } from "./ban-commands.ts";
import { Durations } from "./ban-form.tsx";

type AllowPage = Page<AllowedItem> & Readonly<{ total: number }>;

export function AllowList() {
  const { before = "" } = route.value.query;
  const { data, error, reload } = useLoaded(
    () => get<AllowPage>(`allow${queryOf({ limit: 50, cursor: before })}`),
    [before],
  );
  const [isOpen, setOpen] = useState(false);
  const words = t.value.bans;
  const turn = (cursor: string): void => turnTo("bans", { show: "allowed", before: cursor });
  return (
    <>
      <div class="bar">
        <span>{data !== null && words.countAllowed(whole(data.total, language.value))}</span>
        <span class="spacer" />
        {may("allow") && (
          <button type="button" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
            {words.allow}
          </button>
        )}
      </div>
      {isOpen && may("allow") && <AllowForm allowed={reload} close={() => setOpen(false)} />}
      {data !== null && error !== null && <Waiting error={error} reload={reload} />}
      {data === null ? (
        <Waiting error={error} reload={reload} />
      ) : (
        <>
          {data.items.length === 0 && <p class="empty">{words.noneAllowed}</p>}
          <ul class="rows" aria-label={words.allowList}>
            {data.items.map((item) => (
              <li key={`${item.from} ${item.prefix}`} class="row">
                <AllowedRow item={item} removed={reload} />
              </li>
            ))}
          </ul>
          <Turns
            newest={before === "" ? null : () => turn("")}
            older={data.next === null ? null : () => turn(data.next ?? "")}
          />
        </>
      )}
    </>
  );
}

type FormProps = Readonly<{ allowed: () => void; close: () => void }>;

function AllowForm({ allowed, close }: FormProps) {
  const place = useOpened();
  const words = t.value.bans;
  const submit = async ({ network = "", note = "", for: duration = "" }): Promise<void> => {
    await allow({ network, note, for: duration });
    close();
    allowed();
  };
  return (
    <Card title={words.allow} place={place}>
      <Form label={words.allow} submit={submit} close={close}>
        <Field label={words.target} name="network" required maxLength={64} placeholder="203.0.113.0/24" />
        <Field label={words.reason} name="note" maxLength={LONGEST_NOTE} />
        <Durations unset={words.never} />
      </Form>
    </Card>
  );
}

function AllowedRow({ item, removed }: Readonly<{ item: AllowedItem; removed: () => void }>) {
  const words = t.value.bans;
  const { prefix, note, by, expiresAt, from } = item;
  const remove = (): void =>
    attempt(async () => {
      await disallow(item);
      removed();
    });
  return (
    <>
      <span class="who">
        <Address of={prefix} />
      </span>
      <span class="what">
        <Said text={note || words.noReason} /> <small>{from === "settings" ? words.fromSettings : by}</small>
      </span>
      <span class="when">{expiresAt === null ? words.never : <At iso={expiresAt} how="distance" />}</span>
      {from === "command" && may("allow") && (
        <button type="button" aria-label={words.removeOf(shortPrefix(prefix))} onClick={remove}>
          {t.value.remove}
        </button>
      )}
    </>
  );
}
