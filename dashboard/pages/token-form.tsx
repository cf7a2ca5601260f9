import { useState } from "preact/hooks";
import { t } from "../admin-texts.ts";
import { post } from "../api.ts";
import { tell } from "../attempt.ts";
import { Field, fieldsOf, useAttempt } from "../parts.tsx";
import { withProof } from "../proof.tsx";
import { Secret } from "../secret.tsx";
import { reader } from "../session.ts";

type Made = Readonly<{ name: string; token: string }>;
/** Those of the server (src/core/access/scopes.ts), which takes them in place of scopes. */
const CHOSEN = "chosen";

export function TokenForm({ made }: Readonly<{ made: () => void }>) {
  const [role, setRole] = useState("viewer");
  const [fresh, setFresh] = useState<Made | null>(null);
  const { isBusy, attempt } = useAttempt();
  const words = t.value.access;
  const submit = (event: Event): void => {
    event.preventDefault();
    const form = event.currentTarget;
    if (!(form instanceof HTMLFormElement)) return;
    const { name = "", expires = "" } = fieldsOf(form);
    const scopes = role === CHOSEN ? new FormData(form).getAll("scope") : [role];
    if (scopes.length === 0) return tell(words.noScope, { tone: "bad" });
    attempt(async () => {
      const body = { name, scopes, ...(expires === "" ? {} : { expires }) };
      setFresh(await withProof(() => post<Made>("tokens", body)));
      form.reset();
      setRole("viewer");
      made();
    });
  };
  return (
    <>
      {fresh !== null && (
        <Secret
          says={words.made(fresh.name)}
          label={words.secret}
          secret={fresh.token}
          done={words.done}
          close={() => setFresh(null)}
        />
      )}
      <h3>{words.make}</h3>
      <form class="fields" onSubmit={submit}>
        <Field label={words.name} name="name" required maxLength={64} pattern="[A-Za-z0-9_.\-]+" />
        <label class="field">
          <span>{words.role}</span>
          <select name="role" value={role} onChange={({ currentTarget }) => setRole(currentTarget.value)}>
            {Object.entries(words.roles).map(([value, text]) => (
              <option key={value} value={value}>
                {text}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          <span>{words.lasts}</span>
          <select name="expires">
            {Object.entries(words.durations).map(([value, text]) => (
              <option key={value} value={value} selected={value === "90d"}>
                {text}
              </option>
            ))}
          </select>
        </label>
        {role === CHOSEN && <Scopes />}
        <div class="buttons">
          <button class="primary" type="submit" aria-disabled={isBusy}>
            {words.make}
          </button>
        </div>
      </form>
    </>
  );
}

/** Those of the reader, who cannot give more. */
function Scopes() {
  return (
    <fieldset class="choices">
      <legend>{t.value.access.scopes}</legend>
      {reader.value?.scopes.map((scope) => (
        <label key={scope}>
          <input type="checkbox" name="scope" value={scope} /> {scope}
        </label>
      ))}
    </fieldset>
  );
}
