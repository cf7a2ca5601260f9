import type { SessionItem } from "../../src/wire/control/access-items.ts";
import { get, remove } from "../api.ts";
import { attempt, tell } from "../attempt.ts";
import { t } from "../messages.ts";
import { At, Card, Said, useLoaded, Waiting } from "../parts.tsx";
import { withProof } from "../proof.tsx";

export type Listed = SessionItem & Readonly<{ isOwn: boolean }>;

/** The browsers that are signed in, and their end. */
export function SessionsCard() {
  const { data, error, reload } = useLoaded(() => get<{ items: readonly Listed[] }>("sessions"), []);
  const words = t.value.access;
  const end = (path: string): void =>
    attempt(async () => {
      const { ended } = await withProof(() => remove<{ ended: number }>(path));
      tell(words.ended(ended));
      reload();
    });
  const isAlone = data?.items.every(({ isOwn }) => isOwn) ?? true;
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
      {data !== null && isAlone && <p class="empty">{words.alone}</p>}
    </Card>
  );
}

function SessionRow({ item, end }: Readonly<{ item: Listed; end: () => void }>) {
  const { device, ip, isOwn } = item;
  const words = t.value.access;
  return (
    <li class="row act">
      <SessionFacts item={item} />
      {!isOwn && (
        <button type="button" aria-label={words.endOf(device, ip)} onClick={end}>
          {words.end}
        </button>
      )}
    </li>
  );
}

export function SessionFacts({ item }: Readonly<{ item: Listed }>) {
  const { device, ip, startedAt, usedAt, isOwn } = item;
  const words = t.value.access;
  return (
    <p>
      <strong>
        <Said text={device} />
      </strong>{" "}
      <Said text={ip} /> {isOwn && <span class="badge">{words.thisOne}</span>}
      <br />
      <small>
        {words.started} <At iso={startedAt} how="moment" />, {words.used} <At iso={usedAt} how="moment" />
      </small>
    </p>
  );
}
