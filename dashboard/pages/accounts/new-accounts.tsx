import { useState } from "preact/hooks";
import { t } from "../../admin-texts.ts";
import { type Answer, request } from "../../api.ts";
import { notify } from "../../attempt.ts";
import { Form, NewPassword } from "../../controls.tsx";
import { whole, withoutEmpty } from "../../format.ts";
import { type Language, language } from "../../messages.ts";
import { Field, OpenedCard, SafeText } from "../../parts.tsx";
import { Secret } from "../../secrets.tsx";
import { withProof } from "../../session.ts";

const words = t.accounts;

export type CreatedAccount = Answer<"POST /accounts">;

export function AddAccount({ added, close }: Readonly<{ added: () => void; close: () => void }>) {
  const [made, setMade] = useState<CreatedAccount | null>(null);
  const submit = async ({ name = "", password = "" }): Promise<void> => {
    const body = { name, ...withoutEmpty({ password }) };
    const done = await withProof(() => request("POST /accounts", { body })).finally(added);
    notify(words.added(done.name));
    if (done.password === null) close();
    else setMade(done);
  };
  return (
    <OpenedCard title={words.add}>
      <Form label={words.add} clears submit={submit} close={close}>
        <Field label={words.address} name="name" type="email" required maxLength={254} />
        <NewPassword label={words.password} />
      </Form>
      {made !== null && <MadeSecret {...made} close={close} />}
    </OpenedCard>
  );
}

export function MadeSecret({ name, password, close }: CreatedAccount & Readonly<{ close: () => void }>) {
  if (password === null) return null;
  return <Secret message={words.madeSays(name)} label={words.shownPassword} secret={password} close={close} />;
}

type Imported = Answer<"POST /accounts/import">;

/** The server accepts 64 KiB of JSON, in which some characters take two bytes. */
const MOST_BYTES = 60_000;

/** `hashesOnly`: each account has a key, which a typed password can create only on the server. */
type Props = Readonly<{ hashesOnly: boolean; imported: () => void; close: () => void }>;

export function ImportAccounts({ hashesOnly, imported, close }: Props) {
  const [report, setReport] = useState<Imported | null>(null);
  const submit = async (_: unknown, form: HTMLFormElement): Promise<void> => {
    const chosen = new FormData(form).get("file");
    setReport(null);
    if (!(chosen instanceof File) || chosen.size === 0) throw new Error(words.noFile);
    if (chosen.size > MOST_BYTES) throw new Error(words.tooLarge);
    const file = await chosen.text();
    // Also after a refusal, because some may have been imported before it.
    setReport(await withProof(() => request("POST /accounts/import", { body: { file } })).finally(imported));
  };
  return (
    <OpenedCard title={words.importTitle} hint={words.importSays}>
      {hashesOnly && <p class="hint">{words.importHashes}</p>}
      <Form label={words.importNow} submit={submit} close={close}>
        <Field label={words.file} type="file" name="file" required />
      </Form>
      {report !== null && <Report {...report} />}
    </OpenedCard>
  );
}

function Report({ added, skipped, ignored, weak, unjudged }: Imported) {
  const unused = ignored.map(({ line, name, fields }) => words.line(line, name, fields.join(", ")));
  return (
    <div class="preview" role="status">
      <p>{words.imported(whole(added.length))}</p>
      <Lines title={words.skipped} lines={skipped.map(({ name, why }) => `${name} ${why}`)} />
      <Lines title={words.ignored} lines={unused} lang={language} />
      <Lines title={words.weak} lines={weak.map(({ name, why }) => `${name}: ${why}`)} />
      <Lines title={words.unjudged} lines={unjudged} />
    </div>
  );
}

function Lines({ title, lines, lang = "en" }: Readonly<{ title: string; lines: readonly string[]; lang?: Language }>) {
  if (lines.length === 0) return null;
  return (
    <>
      <h3>{title}</h3>
      <ul>
        {lines.map((line) => (
          <SafeText key={line} within="li" text={line} lang={lang} />
        ))}
      </ul>
    </>
  );
}
