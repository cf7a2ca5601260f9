import { useEffect, useRef, useState } from "preact/hooks";
import { request } from "./api.ts";
import { signedIn } from "./attempt.ts";
import { t } from "./messages.ts";
import { usePasswordForm } from "./proof.tsx";
import { findSession, sessionFailure } from "./session.ts";
import { Heading } from "./shell.tsx";

/** The administrator's name in a browser that stores passwords. */
const ADMIN = "admin";

export function SignIn() {
  const name = useRef<HTMLInputElement>(null);
  const [account, setAccount] = useState("");
  // Only the administrator has passkeys.
  const isOfMailbox = account !== "" && account !== ADMIN;
  const { form, isWaiting, codeField, passkeyButton, refusal, submit } = usePasswordForm(async (given) => {
    await request("POST /login", { body: { ...(isOfMailbox && { account }), ...given } });
    await findSession();
    // If the server could not answer, it is asked again.
    if (signedIn.value === "no" && sessionFailure.value === null) throw new Error(t.signIn.noCookie);
  });
  useEffect(() => name.current?.focus(), []);
  const words = t.signIn;
  return (
    <main class="sign-in">
      <form class="card" ref={form} onSubmit={submit}>
        <img src="icon.svg" alt="" width="56" height="56" />
        <Heading title={words.button}>GhostInbox</Heading>
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
        {codeField}
        <button class="primary" type="submit" aria-disabled={isWaiting}>
          {isWaiting ? words.wait : words.button}
        </button>
        {!isOfMailbox && passkeyButton}
        {refusal}
      </form>
    </main>
  );
}
