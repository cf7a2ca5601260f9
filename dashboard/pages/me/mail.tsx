import { useState } from "preact/hooks";
import type { OwnMail } from "../../../src/admin/declare/items.ts";
import { get, post, queryOf, remove } from "../../api.ts";
import { attempt, tell } from "../../attempt.ts";
import { FormButtons, Lasts } from "../../fields.tsx";
import { t } from "../../mailbox-texts.ts";
import { At, Card, Field, fieldsOf, Said, useAttempt, useLoaded, Waiting } from "../../parts.tsx";

type SenderItem = Readonly<{ sender: string }>;

/** Senders whose mail is never spam for the reader. */
export function SendersCard() {
  const { data, error, reload } = useLoaded(() => get<{ items: readonly SenderItem[] }>("me/senders"), []);
  const words = t.value.me;
  const add = async (sender: string): Promise<void> => {
    await post("me/senders", { sender });
    reload();
    tell(words.senderAllowed(sender), { undo: () => takeOff(sender) });
  };
  const takeOff = async (sender: string): Promise<void> => {
    await remove(`me/senders${queryOf({ sender })}`);
    reload();
    tell(words.senderOff(sender), { undo: () => add(sender) });
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    const form = event.currentTarget;
    const { sender = "" } = fieldsOf(form);
    attempt(async () => {
      await add(sender);
      if (form instanceof HTMLFormElement) form.reset();
    });
  };
  return (
    <Card title={words.senders}>
      <p class="hint">{words.sendersHint}</p>
      <Waiting error={error} reload={reload} isLoaded={data !== null} />
      {data?.items.length === 0 && <p class="empty">{words.noSenders}</p>}
      <ul class="rows">
        {data?.items.map(({ sender }) => (
          <li key={sender} class="row act">
            <Said text={sender} />
            <button type="button" aria-label={words.offOf(sender)} onClick={() => attempt(() => takeOff(sender))}>
              {words.off}
            </button>
          </li>
        ))}
      </ul>
      <form class="fields" onSubmit={submit}>
        <Field label={words.sender} name="sender" required maxLength={320} />
        <FormButtons label={words.allow} isPlain />
      </form>
    </Card>
  );
}

type CodeProps = Readonly<{ until: string | null; changed: () => void }>;

/** For a reader who waits for a code: greylisting lets first mails in at once for a while. */
export function CodeCard({ until, changed }: CodeProps) {
  const { isBusy, attempt: attemptOne } = useAttempt();
  const words = t.value.me;
  const pause = (event: Event): void => {
    event.preventDefault();
    const { for: lasts = "" } = fieldsOf(event.currentTarget);
    attemptOne(async () => {
      await post("me/greylist-pause", { for: lasts });
      changed();
      tell(words.paused, { undo: resume });
    });
  };
  const resume = async (): Promise<void> => {
    await remove("me/greylist-pause");
    changed();
    tell(words.resumed);
  };
  return (
    <Card title={words.code}>
      <p class="hint">{words.codeHint}</p>
      {until !== null && (
        <p>
          {words.pausedUntil} <At iso={until} how="distance" />.{" "}
          <button type="button" onClick={() => attemptOne(resume)}>
            {words.resume}
          </button>
        </p>
      )}
      <form class="fields" onSubmit={pause}>
        <Lasts />
        <FormButtons label={words.pause} isPlain isBusy={isBusy} />
      </form>
    </Card>
  );
}

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
        <FormButtons label={words.followIt} isPlain />
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
