import { signal } from "@preact/signals";
import { post } from "../api.ts";
import { tell } from "../attempt.ts";
import { t } from "../mailbox-texts.ts";
import { Card, Field, useAttempt } from "../parts.tsx";
import { withProof } from "../proof.tsx";
import { reader } from "../session.ts";
import { typedIn } from "./typed-in.ts";

/** How often the reader has set a new password here: it removes app passwords. */
export const passwordsSet = signal(0);

/** `isOnServer`: the password opens the mailbox's key, so it is changed only on the server. */
export function PasswordCard({ isOnServer }: Readonly<{ isOnServer: boolean }>) {
  const words = t.value.me;
  return (
    <Card title={words.password}>
      <p class="hint">{isOnServer ? words.passwordOnServer : words.passwordHint}</p>
      {!isOnServer && <NewPassword done={() => undefined} />}
    </Card>
  );
}

/** Whether it is easy to guess the server says. */
export function NewPassword({ done }: Readonly<{ done: () => void }>) {
  const { isBusy, attempt } = useAttempt();
  const words = t.value.me;
  const submit = (event: Event): void => {
    event.preventDefault();
    const form = event.currentTarget;
    if (!(form instanceof HTMLFormElement)) return;
    const { password } = typedIn(form);
    attempt(async () => {
      await withProof(() => post("me/password", password));
      form.reset();
      tell(words.passwordSet);
      passwordsSet.value += 1;
      done();
    });
  };
  return (
    <form class="fields" onSubmit={submit}>
      <input type="text" name="username" value={reader.value?.account ?? ""} autocomplete="username" hidden readOnly />
      <Field
        label={words.newPassword}
        name="password"
        type="password"
        required
        maxLength={512}
        autocomplete="new-password"
      />
      <div class="buttons">
        <button class="primary" type="submit" aria-disabled={isBusy}>
          {words.setPassword}
        </button>
      </div>
    </form>
  );
}
