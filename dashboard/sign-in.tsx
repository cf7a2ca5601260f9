import { useEffect, useRef, useState } from "preact/hooks";
import { post } from "./api.ts";
import { t } from "./messages.ts";
import { Button, fieldsOf } from "./parts.tsx";
import { usePasskey, whyNoPasskeys } from "./passkey.ts";
import { useSecrets } from "./proof.tsx";
import { findSession } from "./session.ts";
import { Heading } from "./shell.tsx";

/** What a browser that keeps passwords has as the administrator's name. */
const ADMIN = "admin";

export function SignIn() {
  const name = useRef<HTMLInputElement>(null);
  const [account, setAccount] = useState("");
  const { form, isWaiting, codeField, refusal, sendWith } = useSecrets(async (given) => {
    await post("login", given);
    await findSession();
  });
  // Passkeys are the administrator's.
  const isOfMailbox = account !== "" && account !== ADMIN;
  useEffect(() => name.current?.focus(), []);
  const submit = (event: Event): void => {
    event.preventDefault();
    const { account: _, ...typed } = fieldsOf(form.current);
    sendWith(() => Promise.resolve({ ...(isOfMailbox && { account }), ...typed }));
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
        {codeField}
        <button class="primary" type="submit" disabled={isWaiting}>
          {isWaiting ? words.wait : words.button}
        </button>
        {!isOfMailbox && whyNoPasskeys() === null && (
          <Button shown={t.passkey.use} disabled={isWaiting} onClick={() => sendWith(usePasskey)} />
        )}
        {refusal}
      </form>
    </main>
  );
}
