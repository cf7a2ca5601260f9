import type { Forwarding, MOST_FORWARDS, VACATION_LIMITS, VacationItem } from "../../../src/admin/mailboxes.ts";
import { request } from "../../api.ts";
import { ActionButton, Form, RemoveButton } from "../../controls.tsx";
import { dayOf, endOfDay, isPast } from "../../format.ts";
import { t } from "../../mailbox-texts.ts";
import { Card, Field, Item, now, Rows, Time, useAnswer, useAttempt, Waiting } from "../../parts.tsx";
import { change } from "../../session.ts";

/** Only types come from src. This type makes the compiler compare the number. */
const MOST_ADDRESSES: typeof MOST_FORWARDS = 10;

/** Where else the mail goes, and who gets a reply. */
export function Delivery() {
  return (
    <>
      <ForwardingCard />
      <VacationCard />
    </>
  );
}

function ForwardingCard() {
  const forwarding = useAnswer("GET /me/forwarding", {});
  const { to, keep } = forwarding.data ?? { to: [], keep: true };
  const busy = useAttempt();
  const words = t.mailboxSettings.forwarding;
  // Read again first, because the shown list may be out of date.
  const set = (edit: (old: Forwarding) => Forwarding, message: string): Promise<void> => {
    const ask = async () => {
      const body = edit(await request("GET /me/forwarding"));
      return body.to.length === 0 ? request("DELETE /me/forwarding") : request("PUT /me/forwarding", { body });
    };
    return change(ask, forwarding.reload, message);
  };
  const add = ({ address = "" }): Promise<void> =>
    set((old) => {
      if (old.to.includes(address)) throw new Error(words.alreadyThere(address));
      return { ...old, to: [...old.to, address] };
    }, words.added(address));
  const removeAddress = (address: string): Promise<void> =>
    set((old) => ({ ...old, to: old.to.filter((one) => one !== address) }), words.stopped(address));
  const keepOrNot = (): Promise<void> => set((old) => ({ ...old, keep: !keep }), keep ? words.noCopy : words.copy);
  return (
    <Card title={words.title} hint={words.hint}>
      <Rows of={{ ...forwarding, data: forwarding.data && { items: to } }} none={words.none}>
        {(address) => (
          <Item key={address} name={address}>
            <RemoveButton name={address} busy={busy} run={() => removeAddress(address)} />
          </Item>
        )}
      </Rows>
      {to.length > 0 && (
        <div class="bar">
          <span>{keep ? words.copy : words.noCopy}</span>
          <ActionButton text={keep ? words.keepNone : words.keep} busy={busy} run={keepOrNot} />
        </div>
      )}
      {to.length >= MOST_ADDRESSES && <p class="hint">{words.most}</p>}
      {forwarding.data !== null && to.length < MOST_ADDRESSES && (
        <Form label={words.send} isPlain busy={busy} clears submit={add}>
          <Field label={words.address} name="address" type="email" required maxLength={320} />
        </Form>
      )}
    </Card>
  );
}

const LIMITS: typeof VACATION_LIMITS = { subject: 200, text: 4_000 };

function VacationCard() {
  const stored = useAnswer("GET /me/vacation", {});
  const { data, reload } = stored;
  const busy = useAttempt();
  const words = t.mailboxSettings.vacation;
  const vacation = data?.vacation ?? null;
  const submit = ({ subject = "", text = "", day = "" }): Promise<void> => {
    const body = { subject, text, until: endOfDay(day, vacation?.until ?? null, now.value) };
    return change(() => request("PUT /me/vacation", { body }), reload, words.started);
  };
  const end = (): Promise<void> => change(() => request("DELETE /me/vacation"), reload, words.stopped);
  return (
    <Card title={words.title} hint={words.hint}>
      <Waiting {...stored} />
      {data !== null && <p role="status">{vacation === null ? words.none : <ReplyState of={vacation} />}</p>}
      {data !== null && (
        <Form
          label={vacation === null ? words.set : words.change}
          isPlain
          busy={busy}
          submit={submit}
          others={vacation !== null && <ActionButton text={t.mailboxSettings.endNow} busy={busy} run={end} />}
        >
          <Field label={words.subject} name="subject" maxLength={LIMITS.subject} defaultValue={vacation?.subject} />
          <label class="field">
            <span>{words.text}</span>
            {/* The server allows additional line ends, and adds some itself. */}
            <textarea name="text" rows={5} required maxLength={2 * LIMITS.text} defaultValue={vacation?.text} />
          </label>
          <Field label={words.day} name="day" type="date" defaultValue={dayOf(vacation?.until ?? null)} />
        </Form>
      )}
    </Card>
  );
}

function ReplyState({ of: { until } }: Readonly<{ of: VacationItem }>) {
  const words = t.mailboxSettings.vacation;
  const word = isPast(until, now.value) ? words.over : words.until;
  return <strong>{until === null ? words.always : <Time iso={until} how="moment" word={word} />}</strong>;
}
