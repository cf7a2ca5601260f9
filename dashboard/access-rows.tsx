import type { ComponentChildren } from "preact";
import type { ItemOf } from "./api.ts";
import { ConfirmRemove } from "./controls.tsx";
import { t } from "./messages.ts";
import { Card, Item, type Loaded, Rows, SafeText, Time } from "./parts.tsx";
import { change } from "./session.ts";

export function LastUse({ at }: Readonly<{ at: string | null }>) {
  return at === null ? <>{t.unused}</> : <Time iso={at} how="moment" word={t.used} />;
}

type SecretItem = Readonly<{ id: string; name: string; lastUsed: string | null }>;
type SecretWords = Readonly<
  Record<"title" | "hint" | "none" | "made", string> & Readonly<{ removed: (name: string) => string }>
>;
type SecretsProps<One> = Readonly<{
  list: Loaded<{ readonly items: readonly One[] }>;
  remove: (id: string) => Promise<unknown>;
  madeAt: (one: One) => string;
  words: SecretWords;
  children: ((items: readonly One[], reload: () => void) => ComponentChildren) | null;
}>;

/** Lists what the reader signs in with, and can remove it. `children` is a form that creates one; if null, an empty list is hidden. */
export function SecretsCard<One extends SecretItem>({ list, remove, madeAt, words, children }: SecretsProps<One>) {
  const { data, reload } = list;
  const removeSecret = ({ id, name }: One): Promise<void> => change(() => remove(id), reload, words.removed(name));
  if (children === null && data?.items.length === 0) return null;
  return (
    <Card title={words.title} hint={words.hint}>
      <Rows of={list} none={words.none}>
        {(one) => (
          <Item key={one.id} name={one.name} facts={<Since word={words.made} iso={madeAt(one)} used={one.lastUsed} />}>
            <ConfirmRemove name={one.name} run={() => removeSecret(one)} />
          </Item>
        )}
      </Rows>
      {data !== null && children?.(data.items, reload)}
    </Card>
  );
}

type SessionProps = Readonly<{
  item: ItemOf<"GET /me/sessions">;
  account?: string | null;
  children?: ComponentChildren;
}>;

export function endSessions(end: () => Promise<{ readonly ended: number }>, changed: () => void): Promise<void> {
  return change(end, changed, ({ ended }) => t.browsers.ended(ended));
}

/** A browser that is signed in. `account`: the session's mailbox, in a list with several. */
export function SessionRow({ item, account = null, children }: SessionProps) {
  const { device, ip, startedAt, usedAt, isOwn } = item;
  const beside = (
    <>
      <SafeText text={ip} /> {account !== null && <SafeText text={account} />}{" "}
      {isOwn && <span class="badge">{t.browsers.thisOne}</span>}
    </>
  );
  return (
    <Item
      name={device}
      lang="en"
      beside={beside}
      facts={<Since word={t.browsers.started} iso={startedAt} used={usedAt} />}
    >
      {children}
    </Item>
  );
}

/** `word`: what happened then. */
function Since({ word, iso, used }: Readonly<{ word: string; iso: string; used: string | null }>) {
  return (
    <>
      <Time iso={iso} how="moment" word={word} />, <LastUse at={used} />
    </>
  );
}
