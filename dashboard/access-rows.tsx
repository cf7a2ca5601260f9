import type { ComponentChildren } from "preact";
import type { SessionItem } from "../src/admin/declare/items.ts";
import { get, remove } from "./api.ts";
import { tell } from "./attempt.ts";
import { Remove } from "./fields.tsx";
import { t } from "./messages.ts";
import { At, Card, Said, useLoaded, Waiting } from "./parts.tsx";
import { withProof } from "./proof.tsx";

/** When something was used last, if ever. */
export function LastUse({ at }: Readonly<{ at: string | null }>) {
  return at === null ? (
    t.value.unused
  ) : (
    <>
      {t.value.used} <At iso={at} how="moment" />
    </>
  );
}

type SecretItem = Readonly<{ id: string; name: string; lastUsed: string | null }>;
type SecretWords = Readonly<
  Record<"title" | "hint" | "none" | "made", string> & Readonly<{ removed: (name: string) => string }>
>;
type SecretsProps<Item> = Readonly<{
  /** Where the API lists and removes them. */
  path: string;
  madeAt: (item: Item) => string;
  words: SecretWords;
  /** The list is loaded again when one of these changes. */
  by?: readonly unknown[];
  children: (items: readonly Item[], reload: () => void) => ComponentChildren;
}>;

/** What the reader signs in with: each by its name, with its last use and its end, and below them a form that makes one. */
export function SecretsCard<Item extends SecretItem>({ path, madeAt, words, by = [], children }: SecretsProps<Item>) {
  const { data, error, reload } = useLoaded(() => get<{ items: readonly Item[] }>(path), by);
  const takeOff = async ({ id, name }: Item): Promise<void> => {
    await withProof(() => remove(`${path}/${encodeURIComponent(id)}`));
    tell(words.removed(name));
    reload();
  };
  return (
    <Card title={words.title}>
      <p class="hint">{words.hint}</p>
      <Waiting error={error} reload={reload} isLoaded={data !== null} />
      {data?.items.length === 0 && <p class="empty">{words.none}</p>}
      <ul class="rows">
        {data?.items.map((item) => (
          <li key={item.id} class="row act">
            <p>
              <strong>
                <Said text={item.name} />
              </strong>
              <br />
              <small>
                {words.made} <At iso={madeAt(item)} how="moment" />, <LastUse at={item.lastUsed} />
              </small>
            </p>
            <Remove name={item.name} run={() => takeOff(item)} />
          </li>
        ))}
      </ul>
      {data !== null && children(data.items, reload)}
    </Card>
  );
}

export type Listed = SessionItem & Readonly<{ isOwn: boolean }>;

/** A browser that is signed in. `account`: the mailbox whose session it is, where several are listed. */
export function SessionFacts({ item, account = null }: Readonly<{ item: Listed; account?: string | null }>) {
  const { device, ip, startedAt, usedAt, isOwn } = item;
  const words = t.value.browsers;
  return (
    <p>
      <strong>
        <Said text={device} />
      </strong>{" "}
      <Said text={ip} /> {account !== null && <Said text={account} />}{" "}
      {isOwn && <span class="badge">{words.thisOne}</span>}
      <br />
      <small>
        {words.started} <At iso={startedAt} how="moment" />, <LastUse at={usedAt} />
      </small>
    </p>
  );
}
