import { useEffect, useRef, useState } from "preact/hooks";
import { type Complaint, complaintOf, post, Refused } from "./api.ts";
import { signedIn } from "./attempt.ts";
import { t } from "./messages.ts";
import { Button, fieldsOf, Said } from "./parts.tsx";
import { usePasskey, whyNoPasskeys } from "./passkey.ts";
import { proofAsked, reader } from "./session.ts";

/** Asks for the password while a request waits for a proof. The focus goes back to where it was. */
export function ProofDialog() {
  const asked = proofAsked.value;
  return asked === null ? null : <Question {...asked} />;
}

const PROVED = "proved";

function Question({ given, giveUp }: Readonly<{ given: () => void; giveUp: () => void }>) {
  const dialog = useRef<HTMLDialogElement>(null);
  const form = useRef<HTMLFormElement>(null);
  const password = useRef<HTMLInputElement>(null);
  const [error, setError] = useState<Complaint | null>(null);
  const [isWaiting, setWaiting] = useState(false);
  const [isCodeNeeded, setCodeNeeded] = useState(false);
  useEffect(() => {
    dialog.current?.showModal();
    password.current?.focus();
    // The reader may have been signed out while it ran. After an answer this does nothing.
    return giveUp;
  }, []);
  const submit = (event: Event): void => {
    event.preventDefault();
    const { username: _, ...typed } = fieldsOf(form.current);
    proveWith(() => Promise.resolve(typed));
  };
  const proveWith = (given: () => Promise<object>): void => {
    if (isWaiting) return;
    setError(null);
    setWaiting(true);
    given()
      .then((body) => post("session/proof", body))
      .then(() => dialog.current?.close(PROVED))
      .catch((reason: unknown) => {
        if (reason instanceof Refused && reason.code === "unauthorized") signedIn.value = "no";
        setWaiting(false);
        // The field for it takes the focus.
        if (isCodeAsked(reason)) return setCodeNeeded(true);
        const isOfCode = isCodeNeeded && given !== usePasskey;
        setError(complaintOf(isOfCode ? t.code.refused : reason));
        selectIn(form.current, isCodeNeeded ? "code" : "password");
      });
  };
  const words = t.proof;
  const account = reader.value?.account ?? null;
  return (
    <dialog
      ref={dialog}
      aria-labelledby="proof-title"
      aria-describedby="proof-why"
      onClose={({ currentTarget }) => (currentTarget.returnValue === PROVED ? given() : giveUp())}
    >
      <form ref={form} onSubmit={submit}>
        <h2 id="proof-title">{words.title}</h2>
        <p id="proof-why">{words.why}</p>
        <input type="text" name="username" value={account ?? "admin"} autocomplete="username" hidden readOnly />
        <label class="field">
          <span>{account === null ? t.signIn.password : t.signIn.mailboxPassword}</span>
          <input ref={password} name="password" type="password" autocomplete="current-password" required />
        </label>
        {isCodeNeeded && <CodeField />}
        <p class="error" role="alert">
          {error !== null && <Said {...error} />}
        </p>
        <div class="buttons">
          <button class="primary" type="submit" aria-disabled={isWaiting}>
            {words.button}
          </button>
          {account === null && whyNoPasskeys() === null && (
            <Button shown={t.passkey.use} aria-disabled={isWaiting} onClick={() => proveWith(usePasskey)} />
          )}
          <Button shown={t.cancel} onClick={() => dialog.current?.close()} />
        </div>
      </form>
    </dialog>
  );
}

/** The second step of the sign-in and of a proof: a code of the app, or a recovery code. It takes the focus. */
export function CodeField() {
  const input = useRef<HTMLInputElement>(null);
  const [isRecovery, setRecovery] = useState(false);
  useEffect(() => input.current?.focus(), [isRecovery]);
  const words = t.code;
  return (
    <>
      <label class="field">
        <span>{isRecovery ? words.recoveryCode : words.code}</span>
        <input
          ref={input}
          name="code"
          type="text"
          inputMode={isRecovery ? "text" : "numeric"}
          autocomplete={isRecovery ? "off" : "one-time-code"}
          autocapitalize="off"
          spellcheck={false}
          maxLength={40}
          required
        />
      </label>
      <Button
        shown={isRecovery ? words.useApp : words.useRecovery}
        class="quiet"
        onClick={() => setRecovery(!isRecovery)}
      />
    </>
  );
}

/** Whether the password was right, and the server also wants a code. */
export function isCodeAsked(reason: unknown): boolean {
  return reason instanceof Refused && reason.code === "code_needed";
}

export function selectIn(form: HTMLFormElement | null, name: string): void {
  form?.querySelector<HTMLInputElement>(`input[name="${name}"]`)?.select();
}
