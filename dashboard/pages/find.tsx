import { t } from "../admin-texts.ts";
import { Field, fieldsOf, useFilled, useLoaded, Waiting } from "../parts.tsx";
import { answerTo } from "../question.ts";
import { go, route } from "../route.ts";
import { Heading } from "../shell.tsx";
import { AccountStory, AddressStory, EventsStory, MessageStory } from "./stories.tsx";

export function FindPage() {
  const { q = "" } = route.value.query;
  const form = useFilled({ q });
  const words = t.value.find;
  const submit = (event: Event): void => {
    event.preventDefault();
    go("find", fieldsOf(event.currentTarget));
  };
  return (
    <>
      <Heading>{words.title}</Heading>
      <form ref={form} class="find" role="search" onSubmit={submit}>
        <Field label={words.label} name="q" required maxLength={998} aria-describedby="find-hint" />
        <button class="primary" type="submit">
          {words.button}
        </button>
        <p id="find-hint" class="hint">
          {words.hint}
        </p>
      </form>
      {q !== "" && <Found key={q} asked={q} />}
    </>
  );
}

function Found({ asked }: Readonly<{ asked: string }>) {
  const { data, error, reload } = useLoaded(() => answerTo(asked), [asked]);
  if (data === null) return <Waiting error={error} reload={reload} />;
  if (data.kind === "address") return <AddressStory asked={data.asked} report={data.report} changed={reload} />;
  if (data.kind === "events") return <EventsStory asked={data.asked} items={data.items} />;
  return data.kind === "account" ? <AccountStory report={data.report} /> : <MessageStory report={data.report} />;
}
