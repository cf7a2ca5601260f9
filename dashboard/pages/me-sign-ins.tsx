import { useState } from "preact/hooks";
import type { OwnSignIn } from "../../src/wire/control/my-items.ts";
import type { Page } from "../../src/wire/control/paging.ts";
import { get, queryOf } from "../api.ts";
import { t } from "../mailbox-texts.ts";
import { At, Card, Said, State, useLoaded, useOpened, Waiting } from "../parts.tsx";
import { NewPassword } from "./me-password.tsx";

const MOST_SHOWN = 10;

/** Who signed in with the reader's address, or tried to, and what to do if it was not the reader. */
export function SignInsCard({ isPasswordOnServer }: Readonly<{ isPasswordOnServer: boolean }>) {
  const [cursor, setCursor] = useState("");
  const { data, error, reload } = useLoaded(
    () => get<Page<OwnSignIn>>(`me/sign-ins${queryOf({ limit: MOST_SHOWN, cursor })}`),
    [cursor],
  );
  const words = t.value.me;
  const hasRight = data?.items.some(({ isRight }) => isRight) ?? false;
  return (
    <Card title={words.signIns}>
      <p class="hint">{words.signInsHint}</p>
      <Waiting error={error} reload={reload} isLoaded={data !== null} />
      {data?.items.length === 0 && data.next === null && <p class="empty">{words.noSignIns}</p>}
      <ul class="rows">
        {data?.items.map(({ at, ip, service, isRight, what }, place) => (
          <li key={`${at} ${place}`} class="row brief">
            <State status={isRight ? "ok" : "degraded"}>{words.whats[what]}</State>
            <Said text={`${service ?? ""} ${ip ?? ""}`} />
            <At iso={at} how="moment" />
          </li>
        ))}
      </ul>
      {hasRight && <Question isPasswordOnServer={isPasswordOnServer} />}
      <div class="bar">
        <span class="spacer" />
        {cursor !== "" && (
          <button type="button" onClick={() => setCursor("")}>
            {words.newest}
          </button>
        )}
        {data !== null && data.next !== null && (
          <button type="button" onClick={() => setCursor(data.next ?? "")}>
            {words.older}
          </button>
        )}
      </div>
    </Card>
  );
}

function Question({ isPasswordOnServer }: Readonly<{ isPasswordOnServer: boolean }>) {
  const [answer, setAnswer] = useState<"yes" | "no" | null>(null);
  const words = t.value.me;
  return (
    <>
      <div class="bar">
        <strong>{words.askYou}</strong>
        <button type="button" aria-pressed={answer === "yes"} onClick={() => setAnswer("yes")}>
          {words.yes}
        </button>
        <button type="button" aria-pressed={answer === "no"} onClick={() => setAnswer("no")}>
          {words.no}
        </button>
      </div>
      <p role="status">{answer === "yes" && words.thanks}</p>
      {answer === "no" && <NotYou isPasswordOnServer={isPasswordOnServer} done={() => setAnswer(null)} />}
    </>
  );
}

function NotYou({ isPasswordOnServer, done }: Readonly<{ isPasswordOnServer: boolean; done: () => void }>) {
  const place = useOpened();
  const words = t.value.me;
  return (
    <section ref={place} tabIndex={-1} class="preview" aria-label={words.no}>
      <p>{isPasswordOnServer ? words.passwordOnServer : words.notYou}</p>
      {!isPasswordOnServer && <NewPassword done={done} />}
    </section>
  );
}
