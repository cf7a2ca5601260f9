import { useEffect, useRef, useState } from "preact/hooks";
import { post, Refused } from "./api.ts";
import { signedIn } from "./attempt.ts";
import { CodeField, givenIn, isCodeAsked, selectIn } from "./code-field.tsx";
import { type Complaint, complaintOf } from "./complaint.ts";
import { t } from "./messages.ts";
import { Said } from "./parts.tsx";
import { usePasskey, whyNoPasskeys } from "./passkey.ts";
import { proofAsked } from "./proven.ts";
import { reader } from "./session.ts";

export { withProof } from "./proven.ts";

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
    proveWith(() => Promise.resolve(givenIn(form.current)));
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
        setError(complaintOf(isOfCode ? t.value.code.refused : reason));
        selectIn(form.current, isCodeNeeded ? "code" : "password");
      });
  };
  const words = t.value.proof;
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
          <span>{account === null ? t.value.signIn.password : t.value.signIn.mailboxPassword}</span>
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
            <button type="button" aria-disabled={isWaiting} onClick={() => proveWith(usePasskey)}>
              {t.value.passkey.use}
            </button>
          )}
          <button type="button" onClick={() => dialog.current?.close()}>
            {words.cancel}
          </button>
        </div>
      </form>
    </dialog>
  );
}
