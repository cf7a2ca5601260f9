import { t } from "../admin-texts.ts";
import { get, post, remove } from "../api.ts";
import { tell } from "../attempt.ts";
import { At, Card, Field, fieldsOf, Said, useAttempt, useLoaded, Waiting } from "../parts.tsx";
import { makePasskey, whyNoPasskeys } from "../passkey.ts";
import { withProof } from "../proof.tsx";
import { Surely } from "./surely.tsx";

type Passkey = Readonly<{ id: string; name: string; created: string; lastUsed: string | null }>;
type Asked = Parameters<typeof makePasskey>[0];

/** What the server answers for the server's whole list: at most twenty. */
export function PasskeysCard() {
  const { data, error, reload } = useLoaded(() => get<{ items: readonly Passkey[] }>("factors/passkeys"), []);
  const words = t.value.passkeys;
  const whyNot = whyNoPasskeys();
  const removeOne = async ({ id, name }: Passkey): Promise<void> => {
    await withProof(() => remove(`factors/passkeys/${id}`));
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
          <PasskeyRow key={item.id} item={item} remove={() => removeOne(item)} />
        ))}
      </ul>
      {whyNot === null ? <AddPasskey added={reload} /> : <p class="hint">{{ ...words, ...t.value.passkey }[whyNot]}</p>}
    </Card>
  );
}

function PasskeyRow({ item, remove: run }: Readonly<{ item: Passkey; remove: () => Promise<void> }>) {
  const { name, created, lastUsed } = item;
  const words = t.value.passkeys;
  return (
    <li class="row act">
      <p>
        <strong>
          <Said text={name} />
        </strong>
        <br />
        <small>
          {words.added} <At iso={created} how="moment" />,{" "}
          {lastUsed === null ? (
            words.unused
          ) : (
            <>
              {words.used} <At iso={lastUsed} how="moment" />
            </>
          )}
        </small>
      </p>
      <Surely label={words.removeOf(name)} shown={words.remove} surely={words.surely(name)} run={run} />
    </li>
  );
}

/** The proof is asked for before the browser asks for the finger. */
function AddPasskey({ added }: Readonly<{ added: () => void }>) {
  const { isBusy, attempt } = useAttempt();
  const words = t.value.passkeys;
  const submit = (event: Event): void => {
    event.preventDefault();
    const form = event.currentTarget;
    if (!(form instanceof HTMLFormElement)) return;
    const { name = "" } = fieldsOf(form);
    attempt(async () => {
      const asked = await withProof(() => post<Asked>("factors/passkeys", {}));
      const made = await makePasskey(asked);
      await withProof(() => post("factors/passkeys/confirm", { ...made, name }));
      tell(words.wasAdded(name));
      form.reset();
      added();
    });
  };
  return (
    <>
      <h3>{words.add}</h3>
      <form class="fields" onSubmit={submit}>
        <Field label={words.name} name="name" required maxLength={64} />
        <div class="buttons">
          <button class="primary" type="submit" aria-disabled={isBusy}>
            {words.add}
          </button>
        </div>
      </form>
    </>
  );
}
