import { useState } from "preact/hooks";
import { get, post, remove } from "../api.ts";
import { tell } from "../attempt.ts";
import { t } from "../mailbox-texts.ts";
import { At, Card, Field, fieldsOf, Said, useAttempt, useLoaded, Waiting } from "../parts.tsx";
import { withProof } from "../proof.tsx";
import { Secret } from "../secret.tsx";
import { passwordsSet } from "./me-password.tsx";
import { Surely } from "./surely.tsx";

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
          <AppPassword key={item.id} item={item} takeOff={() => takeOff(item)} />
        ))}
      </ul>
      {data !== null && <MakeAppPassword names={data.items.map(({ name }) => name)} made={reload} />}
    </Card>
  );
}

function AppPassword({ item, takeOff }: Readonly<{ item: Item; takeOff: () => Promise<void> }>) {
  const { name, made, lastUsed } = item;
  const words = t.value.me.apps;
  return (
    <li class="row act">
      <p>
        <strong>
          <Said text={name} />
        </strong>
        <br />
        <small>
          {words.made} <At iso={made} how="moment" />,{" "}
          {lastUsed === null ? (
            words.unused
          ) : (
            <>
              {words.used} <At iso={lastUsed} how="moment" />
            </>
          )}
        </small>
      </p>
      <Surely label={words.removeOf(name)} shown={words.remove} surely={words.surely(name)} run={takeOff} />
    </li>
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
