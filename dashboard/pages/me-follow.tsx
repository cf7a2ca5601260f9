import { useState } from "preact/hooks";
import type { OwnMail } from "../../src/wire/control/my-items.ts";
import { get, queryOf } from "../api.ts";
import { t } from "../mailbox-texts.ts";
import { At, Card, Field, fieldsOf, Said, useLoaded, Waiting } from "../parts.tsx";

/** What became of one mail of the reader's. */
export function FollowCard() {
  const [id, setId] = useState("");
  const words = t.value.me;
  const submit = (event: Event): void => {
    event.preventDefault();
    setId(fieldsOf(event.currentTarget)["id"] ?? "");
  };
  return (
    <Card title={words.follow}>
      <p class="hint">{words.followHint}</p>
      <form class="fields" onSubmit={submit}>
        <Field label={words.followId} name="id" required maxLength={998} />
        <div class="buttons">
          <button type="submit">{words.followIt}</button>
        </div>
      </form>
      <div role="status">{id !== "" && <Path key={id} id={id} />}</div>
    </Card>
  );
}

function Path({ id }: Readonly<{ id: string }>) {
  const { data, error, reload } = useLoaded(() => get<OwnMail>(`me/mail${queryOf({ id })}`), [id]);
  return (
    <>
      <Waiting error={error} reload={reload} isLoaded={data !== null} />
      {data !== null && <p class="verdict">{t.value.me.states[data.state]}</p>}
      <ol class="timeline" aria-label={t.value.me.steps}>
        {data?.steps.map(({ at, what, says }, place) => (
          <li key={`${at} ${place}`}>
            <p class="head">
              <At iso={at} how="moment" /> <strong>{t.value.me.states[what]}</strong>
            </p>
            <p class="record">
              <Said text={says} />
            </p>
          </li>
        ))}
      </ol>
    </>
  );
}
