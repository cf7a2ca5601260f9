import { useEffect, useRef, useState } from "preact/hooks";
import { Refused } from "./api.ts";
import { t } from "./messages.ts";

/** The second step of the sign-in and of a proof: a code of the app, or a recovery code. It takes the focus. */
export function CodeField() {
  const input = useRef<HTMLInputElement>(null);
  const [isRecovery, setRecovery] = useState(false);
  useEffect(() => input.current?.focus(), [isRecovery]);
  const words = t.value.code;
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
      <button type="button" class="quiet" onClick={() => setRecovery(!isRecovery)}>
        {isRecovery ? words.useApp : words.useRecovery}
      </button>
    </>
  );
}

/** Whether the password was right, and the server also wants a code. */
export function isCodeAsked(reason: unknown): boolean {
  return reason instanceof Refused && reason.code === "code_needed";
}

/** What the form sends; spaces around a password belong to it. */
export function givenIn(form: EventTarget | null): Readonly<Record<string, string>> {
  const given: Record<string, string> = {};
  for (const name of ["password", "code"]) {
    const field = fieldNamed(form, name);
    if (field !== null) given[name] = field.value;
  }
  return given;
}

/** For another try. */
export function selectIn(form: EventTarget | null, name: string): void {
  fieldNamed(form, name)?.select();
}

function fieldNamed(form: EventTarget | null, name: string): HTMLInputElement | null {
  const field = form instanceof HTMLFormElement ? form.elements.namedItem(name) : null;
  return field instanceof HTMLInputElement ? field : null;
}
