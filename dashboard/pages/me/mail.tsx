import { useState } from "preact/hooks";
import { request } from "../../api.ts";
import { notify } from "../../attempt.ts";
import { ActionButton, DurationField, Form, RemoveButton } from "../../controls.tsx";
import { isPast } from "../../format.ts";
import { t } from "../../mailbox-texts.ts";
import { Card, Field, Item, now, Rows, SafeText, Time, useAnswer, useAttempt, Waiting } from "../../parts.tsx";

const words = t.me;

export function SendersCard() {
  const list = useAnswer("GET /me/senders", {});
  const add = async (sender: string): Promise<void> => {
    await request("POST /me/senders", { body: { sender } }).finally(list.reload);
    notify(words.senderAllowed(sender), { undo: () => removeSender(sender) });
  };
  const removeSender = async (sender: string): Promise<void> => {
    await request("DELETE /me/senders", { query: { sender } }).finally(list.reload);
    notify(words.senderOff(sender), { undo: () => add(sender) });
  };
  return (
    <Card title={words.senders} hint={words.sendersHint}>
      <Rows of={list} none={words.noSenders}>
        {({ sender }) => (
          <Item key={sender} name={sender}>
            <RemoveButton name={sender} run={() => removeSender(sender)} />
          </Item>
        )}
      </Rows>
      <Form label={words.allow} isPlain clears submit={({ sender = "" }) => add(sender)}>
        <Field label={words.sender} name="sender" required maxLength={320} />
      </Form>
    </Card>
  );
}

/** For a reader who waits for a code: for a while, greylisting accepts first mails at once. */
export function CodeCard({ until, changed }: Readonly<{ until: string | null; changed: () => void }>) {
  const busy = useAttempt();
  const isPaused = until !== null && !isPast(until, now.value);
  const pause = async ({ for: lasts = "" }): Promise<void> => {
    await request("POST /me/greylist-pause", { body: { for: lasts } }).finally(changed);
    // The pause that it replaces cannot be restored.
    notify(words.paused, { undo: isPaused ? null : resume });
  };
  const resume = async (): Promise<void> => {
    await request("DELETE /me/greylist-pause").finally(changed);
    notify(words.resumed);
  };
  return (
    <Card title={words.code} hint={words.codeHint}>
      {isPaused && (
        <p>
          {words.pausedUntil} <Time iso={until} how="distance" />.{" "}
          <ActionButton text={t.mailboxSettings.endNow} busy={busy} run={resume} />
        </p>
      )}
      <Form label={words.pause} isPlain busy={busy} submit={pause}>
        <DurationField />
      </Form>
    </Card>
  );
}

export function FollowCard() {
  // If asked again, the same mail may have moved on.
  const [asked, setAsked] = useState({ id: "", nth: 0 });
  const ask = async ({ id = "" }): Promise<void> => setAsked(({ nth }) => ({ id, nth: nth + 1 }));
  return (
    <Card title={words.follow} hint={words.followHint}>
      <Form label={words.followIt} isPlain submit={ask}>
        <Field label={words.followId} name="id" required maxLength={998} />
      </Form>
      <div role="status">{asked.nth > 0 && <Path key={asked.nth} id={asked.id} />}</div>
    </Card>
  );
}

function Path({ id }: Readonly<{ id: string }>) {
  const mail = useAnswer("GET /me/mail", { query: { id } });
  const { data } = mail;
  return (
    <>
      <Waiting {...mail} />
      {data !== null && <p class="verdict">{t.me.states[data.state]}</p>}
      <ol class="timeline" aria-label={t.me.steps}>
        {data?.steps.map(({ at, what, says }, index) => (
          <li key={`${at} ${index}`}>
            <p class="head">
              <Time iso={at} how="moment" /> <strong>{t.me.states[what]}</strong>
            </p>
            <p class="record">
              <SafeText text={says} />
            </p>
          </li>
        ))}
      </ol>
    </>
  );
}
