import { t } from "../admin-texts.ts";
import { get, post, remove } from "../api.ts";
import { tell } from "../attempt.ts";
import { Card, Field, fieldsOf, useAttempt, useLoaded, Waiting } from "../parts.tsx";
import { makePasskey, whyNoPasskeys } from "../passkey.ts";
import { withProof } from "../proof.tsx";
import { SecretRow } from "./secret-row.tsx";

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
          <SecretRow
            key={item.id}
            name={item.name}
            madeAt={item.created}
            lastUsed={item.lastUsed}
            words={words}
            takeOff={() => removeOne(item)}
          />
        ))}
      </ul>
      {whyNot === null ? <AddPasskey added={reload} /> : <p class="hint">{{ ...words, ...t.value.passkey }[whyNot]}</p>}
    </Card>
  );
}

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
