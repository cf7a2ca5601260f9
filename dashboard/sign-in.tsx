import { useEffect, useRef, useState } from "preact/hooks";
import { type Complaint, complaintOf, post } from "./api.ts";
import { t } from "./messages.ts";
import { Button, fieldsOf, Said } from "./parts.tsx";
import { usePasskey, whyNoPasskeys } from "./passkey.ts";
import { CodeField, isCodeAsked, selectIn } from "./proof.tsx";
import { findSession } from "./session.ts";
import { Heading } from "./shell.tsx";

/** What a browser that keeps passwords has as the administrator's name. */
const ADMIN = "admin";

export function SignIn() {
  const form = useRef<HTMLFormElement>(null);
  const name = useRef<HTMLInputElement>(null);
  const [account, setAccount] = useState("");
  const [error, setError] = useState<Complaint | null>(null);
  const [isWaiting, setWaiting] = useState(false);
  const [isCodeNeeded, setCodeNeeded] = useState(false);
  // Passkeys are the administrator's.
  const isOfMailbox = account !== "" && account !== ADMIN;
  useEffect(() => name.current?.focus(), []);
  const submit = (event: Event): void => {
    event.preventDefault();
    const { account: _, ...typed } = fieldsOf(form.current);
    signInWith(() => Promise.resolve({ ...(isOfMailbox && { account }), ...typed }), "typed");
  };
  const signInWith = (given: () => Promise<object>, how: "typed" | "passkey"): void => {
    setError(null);
    setWaiting(true);
    given()
      .then((body) => post("login", body))
      .then(findSession)
      .then(() => setWaiting(false))
      .catch((reason: unknown) => {
        setWaiting(false);
        // The field for it takes the focus.
        if (isCodeAsked(reason)) return setCodeNeeded(true);
        setError(complaintOf(isCodeNeeded && how === "typed" ? t.code.refused : reason));
        selectIn(form.current, isCodeNeeded ? "code" : "password");
      });
  };
  const words = t.signIn;
  return (
    <main class="sign-in">
      <form class="card" ref={form} onSubmit={submit}>
        <img src="icon.svg" alt="" width="56" height="56" />
        <Heading>GhostInbox</Heading>
        <label class="field">
          <span>{words.account}</span>
          <input
            ref={name}
            name="account"
            inputMode="email"
            autocomplete="username"
            autocapitalize="off"
            spellcheck={false}
            maxLength={254}
            onInput={({ currentTarget }) => setAccount(currentTarget.value.trim())}
          />
        </label>
        <label class="field">
          <span>{isOfMailbox ? words.mailboxPassword : words.password}</span>
          <input name="password" type="password" autocomplete="current-password" required />
        </label>
        {isCodeNeeded && <CodeField />}
        <button class="primary" type="submit" disabled={isWaiting}>
          {isWaiting ? words.wait : words.button}
        </button>
        {!isOfMailbox && whyNoPasskeys() === null && (
          <Button shown={t.passkey.use} disabled={isWaiting} onClick={() => signInWith(usePasskey, "passkey")} />
        )}
        <p class="error" role="alert">
          {error !== null && <Said {...error} />}
        </p>
      </form>
    </main>
  );
}
