import { useEffect, useRef, useState } from "preact/hooks";
import { post } from "./api.ts";
import { signedIn } from "./attempt.ts";
import { CodeField, givenIn, isCodeAsked, selectIn } from "./code-field.tsx";
import { type Complaint, complaintOf } from "./complaint.ts";
import { t } from "./messages.ts";
import { Said } from "./parts.tsx";
import { usePasskey, whyNoPasskeys } from "./passkey.ts";
import { Heading } from "./shell.tsx";

export function SignIn() {
  const form = useRef<HTMLFormElement>(null);
  const password = useRef<HTMLInputElement>(null);
  const [error, setError] = useState<Complaint | null>(null);
  const [isWaiting, setWaiting] = useState(false);
  const [isCodeNeeded, setCodeNeeded] = useState(false);
  useEffect(() => password.current?.focus(), []);
  const submit = (event: Event): void => {
    event.preventDefault();
    signInWith(() => Promise.resolve(givenIn(form.current)));
  };
  const signInWith = (given: () => Promise<object>): void => {
    setError(null);
    setWaiting(true);
    given()
      .then((body) => post("login", body))
      .then(() => {
        signedIn.value = "yes";
      })
      .catch((reason: unknown) => {
        setWaiting(false);
        // The field for it takes the focus.
        if (isCodeAsked(reason)) return setCodeNeeded(true);
        const isOfCode = isCodeNeeded && given !== usePasskey;
        setError(complaintOf(isOfCode ? t.value.security.refused : reason));
        selectIn(form.current, isCodeNeeded ? "code" : "password");
      });
  };
  return (
    <main class="sign-in">
      <form class="card" ref={form} onSubmit={submit}>
        <img src="icon.svg" alt="" width="56" height="56" />
        <Heading>GhostInbox</Heading>
        <input type="text" name="username" value="admin" autocomplete="username" hidden readOnly />
        <label class="field">
          <span>{t.value.signIn.password}</span>
          <input ref={password} name="password" type="password" autocomplete="current-password" required />
        </label>
        {isCodeNeeded && <CodeField />}
        <button class="primary" type="submit" disabled={isWaiting}>
          {isWaiting ? t.value.signIn.wait : t.value.signIn.button}
        </button>
        {whyNoPasskeys() === null && (
          <button type="button" disabled={isWaiting} onClick={() => signInWith(usePasskey)}>
            {t.value.passkeys.use}
          </button>
        )}
        <p class="error" role="alert">
          {error !== null && <Said {...error} />}
        </p>
      </form>
    </main>
  );
}
