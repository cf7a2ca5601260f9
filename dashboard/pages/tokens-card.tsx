import type { CountedPage } from "../../src/wire/control/paging.ts";
import type { TokenItem } from "../../src/wire/verbs/access.ts";
import { t } from "../admin-texts.ts";
import { get, queryOf, remove } from "../api.ts";
import { tell } from "../attempt.ts";
import { whole } from "../format.ts";
import { language } from "../messages.ts";
import { At, Card, now, Said, useLoaded, Waiting } from "../parts.tsx";
import { withProof } from "../proof.tsx";
import { Surely } from "./surely.tsx";
import { TokenForm } from "./token-form.tsx";

const MOST_SHOWN = 100;

/** The tokens, a form that makes one, and their end. */
export function TokensCard() {
  const { data, error, reload } = useLoaded(
    () => get<CountedPage<TokenItem>>(`tokens${queryOf({ limit: MOST_SHOWN })}`),
    [],
  );
  const words = t.value.access;
  const revoke = async (name: string): Promise<void> => {
    await withProof(() => remove(`tokens/${name}`));
    tell(words.revoked(name));
    reload();
  };
  return (
    <Card title={words.tokens}>
      <p class="hint">{words.tokensHint}</p>
      <Waiting error={error} reload={reload} isLoaded={data !== null} />
      {data?.items.length === 0 && <p class="empty">{words.noTokens}</p>}
      <ul class="rows">
        {data?.items.map((item) => (
          <TokenRow key={item.name} item={item} revoke={() => revoke(item.name)} />
        ))}
      </ul>
      {data !== null && data.total > data.items.length && (
        <p class="hint">{words.moreTokens(whole(data.total - data.items.length, language.value))}</p>
      )}
      <TokenForm made={reload} />
    </Card>
  );
}

function TokenRow({ item, revoke }: Readonly<{ item: TokenItem; revoke: () => Promise<void> }>) {
  const { name, scopes, createdBy, expiresAt, usedAt } = item;
  const words = t.value.access;
  const isOver = expiresAt !== null && Date.parse(expiresAt) <= now.value;
  return (
    <li class="row act">
      <p>
        <strong>
          <Said text={name} />
        </strong>{" "}
        {scopes.map((scope) => (
          <span key={scope} class="badge">
            {scope}
          </span>
        ))}
        <br />
        <small>
          {isOver && words.over}
          {!isOver && expiresAt === null && words.never}
          {!isOver && expiresAt !== null && (
            <>
              {words.expires} <At iso={expiresAt} how="distance" />
            </>
          )}
          ,{" "}
          {usedAt === null ? (
            words.unused
          ) : (
            <>
              {t.value.browsers.used} <At iso={usedAt} how="moment" />
            </>
          )}
          , <Said text={words.madeBy(createdBy)} lang={language.value} />
        </small>
      </p>
      <Surely label={words.revokeOf(name)} shown={words.revoke} surely={words.surely(name)} run={revoke} />
    </li>
  );
}
