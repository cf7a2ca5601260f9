import { useEffect, useRef, useState } from "preact/hooks";
import { type Failure, failureOf, RequestError, request } from "./api.ts";
import { Cancelled, signedIn } from "./attempt.ts";
import { t } from "./messages.ts";
import { Button, fieldsOf, SafeText } from "./parts.tsx";
import { type ProofRequest, usePasskey, whyNoPasskeys } from "./passkey.ts";
import { type Proof, pendingProof, reader } from "./session.ts";

/** Asks for the password while a request waits for a proof. The focus returns to where it was. */
export function ProofDialog() {
  const asked = pendingProof.value;
  return asked === null ? null : <ProofForm {...asked} />;
}

const PROVED = "proved";

function ProofForm({ isOver, resolve, reject }: Proof) {
  const dialog = useRef<HTMLDialogElement>(null);
  const password = useRef<HTMLInputElement>(null);
  const account = reader.value?.account ?? null;
  const { form, isWaiting, codeField, passkeyButton, refusal, submit } = usePasswordForm(async (given) => {
    await (isOver
      ? request("POST /login", { body: { ...(account !== null && { account }), ...given } })
      : request("POST /session/proof", { body: given }));
    dialog.current?.close(PROVED);
  });
  const giveUp = (): void => reject(new Cancelled());
  useEffect(() => {
    dialog.current?.showModal();
    password.current?.focus();
    // The reader may have been signed out since. After an answer this does nothing.
    return giveUp;
  }, []);
  const words = t.proof;
  return (
    <dialog
      ref={dialog}
      aria-labelledby="proof-title"
      aria-describedby="proof-why"
      onClose={({ currentTarget }) => (currentTarget.returnValue === PROVED ? resolve() : giveUp())}
    >
      <form ref={form} onSubmit={submit}>
        <h2 id="proof-title">{words.title}</h2>
        <p id="proof-why">{words.why}</p>
        <input type="text" name="username" value={account ?? "admin"} autocomplete="username" hidden readOnly />
        <label class="field">
          <span>{account === null ? t.signIn.password : t.signIn.mailboxPassword}</span>
          <input ref={password} name="password" type="password" autocomplete="current-password" required />
        </label>
        {codeField}
        {refusal}
        <div class="buttons">
          <button class="primary" type="submit" aria-disabled={isWaiting}>
            {words.button}
          </button>
          {account === null && passkeyButton}
          <Button text={t.cancel} onClick={() => dialog.current?.close()} />
        </div>
      </form>
    </dialog>
  );
}

/** The parts of a form that asks for the password, and also for a code if the server wants one. `send` gets these, or a passkey. */
export function usePasswordForm(send: (given: ProofRequest) => Promise<void>) {
  const form = useRef<HTMLFormElement>(null);
  const [error, setError] = useState<Failure | null>(null);
  const [isWaiting, setWaiting] = useState(false);
  const [isCodeNeeded, setCodeNeeded] = useState(false);
  const sendWith = (given: () => Promise<ProofRequest>): void => {
    if (isWaiting) return;
    setError(null);
    setWaiting(true);
    given()
      .then(send)
      .catch((reason: unknown) => {
        const code = reason instanceof RequestError ? reason.code : "";
        if (code === "unauthorized") signedIn.value = "no";
        // The field for the code takes the focus.
        if (code === "code_needed") return setCodeNeeded(true);
        const isOfCode = isCodeNeeded && given !== usePasskey && code === "login_refused";
        setError(failureOf(isOfCode ? t.code.refused : reason));
        const asked = isCodeNeeded ? "code" : "password";
        form.current?.querySelector<HTMLInputElement>(`input[name="${asked}"]`)?.select();
      })
      .finally(() => setWaiting(false));
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    const { password = "", code } = fieldsOf(form.current);
    sendWith(() => Promise.resolve({ password, code }));
  };
  const refusal = (
    <p class="error" role="alert">
      {error !== null && <SafeText {...error} />}
    </p>
  );
  const passkeyButton = whyNoPasskeys() === null && (
    <Button text={t.passkey.use} aria-disabled={isWaiting} onClick={() => sendWith(usePasskey)} />
  );
  return { form, isWaiting, codeField: isCodeNeeded && <CodeField />, passkeyButton, refusal, submit };
}

/** The second step of the sign-in and of a proof: a code of the app, or a recovery code. It takes the focus. */
function CodeField() {
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
        text={isRecovery ? words.useApp : words.useRecovery}
        class="quiet"
        onClick={() => setRecovery(!isRecovery)}
      />
    </>
  );
}
