import { t } from "../admin-texts.ts";
import { addressOf, fieldsFor } from "../event-query.ts";
import { Field, fieldsOf, useFilled } from "../parts.tsx";
import { go, type Query } from "../route.ts";
import { turnTo } from "../shell.tsx";

/** What the list of events shows; the address of the page says the same. */
export function EventFilters({ query }: Readonly<{ query: Query }>) {
  const words = t.value.events;
  const form = useFilled(fieldsFor(query));
  const isSet = Object.values(query).some((value) => value !== "");
  const submit = (event: Event): void => {
    event.preventDefault();
    go("events", addressOf(fieldsOf(event.currentTarget)));
  };
  return (
    <details class="card filters" open={isSet || matchMedia("(min-width: 640px)").matches}>
      <summary>{words.filters}</summary>
      <form ref={form} onSubmit={submit} role="search">
        <label class="field">
          <span>{words.type}</span>
          <select name="type" onChange={(event) => event.currentTarget.form?.requestSubmit()}>
            <option value="">{words.anyType}</option>
            {Object.entries(t.value.eventNames).map(([type, name]) => (
              <option key={type} value={type}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <Field label={words.address} name="ip" maxLength={64} />
        <Field label={words.account} name="account" maxLength={320} />
        <Field label={words.text} name="text" maxLength={200} />
        <Field label={words.from} name="from" type="datetime-local" />
        <Field label={words.to} name="to" type="datetime-local" />
        <div class="buttons">
          <button class="primary" type="submit">
            {words.apply}
          </button>
          <button type="button" disabled={!isSet} onClick={() => turnTo("events", {})}>
            {words.clear}
          </button>
        </div>
      </form>
    </details>
  );
}
