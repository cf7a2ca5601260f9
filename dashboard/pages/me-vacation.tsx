import { get, put, remove } from "../api.ts";
import { tell } from "../attempt.ts";
import { t } from "../mailbox-texts.ts";
import { At, Card, Field, fieldsOf, useAttempt, useLoaded, Waiting } from "../parts.tsx";
import { withProof } from "../proof.tsx";

type Vacation = Readonly<{ subject: string; text: string; until: string | null }>;

/** As many characters as the server takes. */
const MOST = { subject: 200, text: 4_000 };
const PATH = "me/vacation";

/** What is answered while the reader is away. */
export function VacationCard() {
  const { data, error, reload } = useLoaded(() => get<{ vacation: Vacation | null }>(PATH), []);
  const { isBusy, attempt } = useAttempt();
  const words = t.value.me.vacation;
  const submit = (event: Event): void => {
    event.preventDefault();
    const { subject = "", text = "", day = "" } = fieldsOf(event.currentTarget);
    attempt(async () => {
      await withProof(() => put(PATH, { subject, text, until: endOf(day) }));
      tell(words.isOn);
      reload();
    });
  };
  const end = (): void =>
    attempt(async () => {
      await withProof(() => remove(PATH));
      tell(words.isOff);
      reload();
    });
  const vacation = data?.vacation ?? null;
  return (
    <Card title={words.title}>
      <p class="hint">{words.hint}</p>
      <Waiting error={error} reload={reload} isLoaded={data !== null} />
      {data !== null && <p role="status">{vacation === null ? words.none : <InForce of={vacation} />}</p>}
      {data !== null && (
        <form class="fields" onSubmit={submit}>
          <Field label={words.subject} name="subject" maxLength={MOST.subject} defaultValue={vacation?.subject} />
          <label class="field">
            <span>{words.text}</span>
            <textarea name="text" rows={5} required maxLength={MOST.text} defaultValue={vacation?.text} />
          </label>
          <Field label={words.day} name="day" type="date" defaultValue={dayOf(vacation?.until ?? null)} />
          <div class="buttons">
            <button type="submit" aria-disabled={isBusy}>
              {vacation === null ? words.set : words.change}
            </button>
            {vacation !== null && (
              <button type="button" aria-disabled={isBusy} onClick={end}>
                {words.end}
              </button>
            )}
          </div>
        </form>
      )}
    </Card>
  );
}

function InForce({ of: { until } }: Readonly<{ of: Vacation }>) {
  const words = t.value.me.vacation;
  if (until === null) return <strong>{words.always}</strong>;
  return (
    <strong>
      {Date.parse(until) < Date.now() ? words.over : words.until} <At iso={until} how="moment" />
    </strong>
  );
}

/** The last second of a day of the reader's clock; null: no day. */
function endOf(day: string): string | null {
  return day === "" ? null : new Date(`${day}T23:59:59`).toISOString();
}

/** For a field of type `date`. */
function dayOf(iso: string | null): string {
  if (iso === null) return "";
  const at = new Date(iso);
  const two = (number: number): string => String(number).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}
