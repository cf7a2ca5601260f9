import { useState } from "preact/hooks";
import { get, post, remove } from "../api.ts";
import { tell } from "../attempt.ts";
import { t } from "../mailbox-texts.ts";
import { Card, Field, fieldsOf, useAttempt, useLoaded, Waiting } from "../parts.tsx";
import { withProof } from "../proof.tsx";
import { Secret } from "../secret.tsx";
import { passwordsSet } from "./me-password.tsx";
import { SecretRow } from "./secret-row.tsx";

type Item = Readonly<{ id: string; name: string; made: string; lastUsed: string | null }>;
type Made = Readonly<{ name: string; password: string }>;

/** As many as the server keeps for one account. */
const MOST = 20;

/** Passwords of single mail programs: their list, a form that makes one, and their end. */
export function AppPasswordsCard() {
  const { data, error, reload } = useLoaded(
    () => get<{ items: readonly Item[] }>("me/app-passwords"),
    [passwordsSet.value],
  );
  const words = t.value.me.apps;
  const takeOff = async ({ id, name }: Item): Promise<void> => {
    await withProof(() => remove(`me/app-passwords/${encodeURIComponent(id)}`));
    tell(words.removed(name));
    reload();
  };
  return (
    <Card title={words.title}>
      <p class="hint">{words.hint}</p>
      <Waiting error={error} reload={reload} isLoaded={data !== null} />
      {data?.items.length === 0 && <p class="empty">{words.none}</p>}
      <ul class="rows">
        {data?.items.map((item) => (
          <SecretRow
            key={item.id}
            name={item.name}
            madeAt={item.made}
            lastUsed={item.lastUsed}
            words={words}
            takeOff={() => takeOff(item)}
          />
        ))}
      </ul>
      {data !== null && <MakeAppPassword names={data.items.map(({ name }) => name)} made={reload} />}
    </Card>
  );
}

function MakeAppPassword({ names, made }: Readonly<{ names: readonly string[]; made: () => void }>) {
  const [fresh, setFresh] = useState<Made | null>(null);
  const { isBusy, attempt } = useAttempt();
  const words = t.value.me.apps;
  const submit = (event: Event): void => {
    event.preventDefault();
    const form = event.currentTarget;
    const { name = "" } = fieldsOf(form);
    if (names.includes(name)) return tell(words.isThere(name), { tone: "bad" });
    attempt(async () => {
      setFresh(await withProof(() => post<Made>("me/app-passwords", { name })));
      if (form instanceof HTMLFormElement) form.reset();
      made();
    });
  };
  return (
    <>
      {fresh !== null && (
        <Secret
          says={words.says(fresh.name)}
          label={words.label}
          secret={fresh.password}
          done={words.done}
          close={() => setFresh(null)}
        />
      )}
      {names.length >= MOST && <p class="hint">{words.most}</p>}
      {names.length < MOST && (
        <form class="fields" onSubmit={submit}>
          <Field label={words.name} name="name" required maxLength={40} />
          <div class="buttons">
            <button type="submit" aria-disabled={isBusy}>
              {words.make}
            </button>
          </div>
        </form>
      )}
    </>
  );
}
