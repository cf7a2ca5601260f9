import { get, remove } from "../api.ts";
import { attempt, tell } from "../attempt.ts";
import { t } from "../mailbox-texts.ts";
import { Card, useLoaded, Waiting } from "../parts.tsx";
import { type Listed, SessionFacts } from "./session-facts.tsx";

/** The browsers in which the reader is signed in, and the end of all but this one. */
export function OwnSessionsCard() {
  const { data, error, reload } = useLoaded(() => get<{ items: readonly Listed[] }>("me/sessions"), []);
  const words = t.value.me;
  const endOthers = (): void =>
    attempt(async () => {
      const { ended } = await remove<{ ended: number }>("me/sessions");
      tell(t.value.browsers.ended(ended));
      reload();
    });
  const isAlone = data?.items.every(({ isOwn }) => isOwn) ?? true;
  return (
    <Card title={words.sessions}>
      <p class="hint">{words.sessionsHint}</p>
      <Waiting error={error} reload={reload} isLoaded={data !== null} />
      <ul class="rows">
        {data?.items.map((item) => (
          <li key={item.id} class="row act">
            <SessionFacts item={item} />
          </li>
        ))}
      </ul>
      {data !== null && isAlone && <p class="empty">{t.value.browsers.alone}</p>}
      {!isAlone && (
        <div class="buttons">
          <button type="button" class="danger" onClick={endOthers}>
            {words.endOthers}
          </button>
        </div>
      )}
    </Card>
  );
}
