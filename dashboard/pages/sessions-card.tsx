import type { ListedSession } from "../../src/wire/control/access-items.ts";
import type { CountedPage } from "../../src/wire/control/paging.ts";
import { t } from "../admin-texts.ts";
import { get, queryOf, remove } from "../api.ts";
import { attempt, tell } from "../attempt.ts";
import { whole } from "../format.ts";
import { language } from "../messages.ts";
import { Card, useLoaded, Waiting } from "../parts.tsx";
import { withProof } from "../proof.tsx";
import { type Listed, SessionFacts } from "./session-facts.tsx";

const MOST_SHOWN = 100;

/** The browsers that are signed in, the administrator's and those of mailboxes, and their end. */
export function SessionsCard() {
  const { data, error, reload } = useLoaded(
    () => get<CountedPage<Listed & ListedSession>>(`sessions${queryOf({ limit: MOST_SHOWN })}`),
    [],
  );
  const words = t.value.access;
  const end = (path: string): void =>
    attempt(async () => {
      const { ended } = await withProof(() => remove<{ ended: number }>(path));
      tell(t.value.browsers.ended(ended));
      reload();
    });
  // The administrator's come first, so all of them are here.
  const isAlone = data?.items.every(({ isOwn, account }) => isOwn || account !== null) ?? true;
  const endAll = isAlone ? undefined : (
    <button type="button" class="danger" onClick={() => end("sessions")}>
      {words.endAll}
    </button>
  );
  return (
    <Card title={words.sessions} aside={endAll}>
      <p class="hint">{words.sessionsHint}</p>
      <Waiting error={error} reload={reload} isLoaded={data !== null} />
      <ul class="rows">
        {data?.items.map((item) => (
          <SessionRow key={item.id} item={item} end={() => end(`sessions/${item.id}`)} />
        ))}
      </ul>
      {data?.items.every(({ isOwn }) => isOwn) === true && <p class="empty">{t.value.browsers.alone}</p>}
      {data !== null && data.total > data.items.length && (
        <p class="hint">{words.moreSessions(whole(data.total - data.items.length, language.value))}</p>
      )}
    </Card>
  );
}

function SessionRow({ item, end }: Readonly<{ item: Listed & ListedSession; end: () => void }>) {
  const { device, ip, isOwn, account } = item;
  const words = t.value.access;
  return (
    <li class="row act">
      <SessionFacts item={item} account={account} />
      {!isOwn && (
        <button type="button" aria-label={words.endOf(device, ip)} onClick={end}>
          {words.end}
        </button>
      )}
    </li>
  );
}
