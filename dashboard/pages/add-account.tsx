import { useState } from "preact/hooks";
import { t } from "../admin-texts.ts";
import { post } from "../api.ts";
import { tell } from "../attempt.ts";
import { Field, useAttempt, useOpened } from "../parts.tsx";
import { withProof } from "../proof.tsx";
import { Secret } from "../secret.tsx";
import { typedIn } from "./typed-in.ts";

/** `password` null: it was typed. */
export type Made = Readonly<{ name: string; password: string | null }>;

export function AddAccount({ added, close }: Readonly<{ added: () => void; close: () => void }>) {
  const [made, setMade] = useState<Made | null>(null);
  const { isBusy, attempt } = useAttempt();
  const place = useOpened();
  const words = t.value.accounts;
  const submit = (event: Event): void => {
    event.preventDefault();
    const form = event.currentTarget;
    if (!(form instanceof HTMLFormElement)) return;
    const { name, password } = typedIn(form);
    attempt(async () => {
      const done = await withProof(() => post<Made>("accounts", { name, ...password }));
      tell(words.added(done.name));
      form.reset();
      added();
      if (done.password === null) close();
      else setMade(done);
    });
  };
  return (
    <section ref={place} tabIndex={-1} class="card" aria-label={words.add}>
      <h2>{words.add}</h2>
      <form class="fields" onSubmit={submit}>
        <Field label={words.address} name="name" type="email" required maxLength={254} />
        <PasswordField />
        <div class="buttons">
          <button class="primary" type="submit" aria-disabled={isBusy}>
            {words.add}
          </button>
          <button type="button" onClick={close}>
            {words.cancel}
          </button>
        </div>
      </form>
      {made !== null && <MadeSecret {...made} close={close} />}
    </section>
  );
}

/** Of somebody else, so no browser offers to keep it. */
export function PasswordField() {
  const { password } = t.value.accounts;
  return <Field label={password} name="password" type="password" maxLength={512} autocomplete="new-password" />;
}

export function MadeSecret({ name, password, close }: Made & Readonly<{ close: () => void }>) {
  const { madeSays, shownPassword, done } = t.value.accounts;
  if (password === null) return null;
  return <Secret says={madeSays(name)} label={shownPassword} secret={password} done={done} close={close} />;
}
