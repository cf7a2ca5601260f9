import { useEffect, useRef, useState } from "preact/hooks";
import { SecretsCard } from "../../access-rows.tsx";
import { t } from "../../admin-texts.ts";
import { type Answer, request } from "../../api.ts";
import { notify } from "../../attempt.ts";
import { ActionButton, ConfirmButton, Form } from "../../controls.tsx";
import { download } from "../../export.ts";
import { Button, Card, Field, useAnswer, Waiting } from "../../parts.tsx";
import { makePasskey, whyNoPasskeys } from "../../passkey.ts";
import { Copy, QrCode } from "../../secrets.tsx";
import { change, withProof } from "../../session.ts";

const words = t.security;

export function Security() {
  return (
    <>
      <TotpCard />
      <PasskeysCard />
    </>
  );
}

function PasskeysCard() {
  const whyNot = whyNoPasskeys();
  return (
    <SecretsCard
      list={useAnswer("GET /factors/passkeys", {})}
      remove={(id) => request("DELETE /factors/passkeys/{id}", { params: { id } })}
      madeAt={({ created }) => created}
      words={t.passkeys}
    >
      {(_, reload) =>
        whyNot === null ? <AddPasskey added={reload} /> : <p class="hint">{{ ...t.passkeys, ...t.passkey }[whyNot]}</p>
      }
    </SecretsCard>
  );
}

function AddPasskey({ added }: Readonly<{ added: () => void }>) {
  const submit = async ({ name = "" }): Promise<void> => {
    const asked = await withProof(() => request("POST /factors/passkeys"));
    const body = { ...(await makePasskey(asked)), name };
    await withProof(() => request("POST /factors/passkeys/confirm", { body })).finally(added);
    notify(t.passkeys.wasAdded(name));
  };
  return (
    <>
      <h3>{t.passkeys.add}</h3>
      <Form label={t.passkeys.add} clears submit={submit}>
        <Field label={t.passkeys.name} name="name" required maxLength={64} />
      </Form>
    </>
  );
}

type TotpBegun = Answer<"POST /factors/totp">;

function TotpCard() {
  const factors = useAnswer("GET /factors", {});
  const { data, reload } = factors;
  const [begun, setBegun] = useState<TotpBegun | null>(null);
  const [codes, setCodes] = useState<readonly string[] | null>(null);
  const showCodes = ({ recoveryCodes }: Answer<"POST /factors/recovery">): void => {
    setBegun(null);
    setCodes(recoveryCodes);
  };
  const start = async (): Promise<void> => {
    setBegun(await withProof(() => request("POST /factors/totp")));
    setCodes(null);
  };
  const confirm = async ({ code = "" }): Promise<void> =>
    showCodes(await request("POST /factors/totp/confirm", { body: { code } }).finally(reload));
  const renew = async (): Promise<void> =>
    showCodes(await withProof(() => request("POST /factors/recovery")).finally(reload));
  const removeApp = (): Promise<void> =>
    change(() => request("DELETE /factors/totp"), reload, words.removed).then(() => setCodes(null));
  return (
    <Card title={words.title}>
      <Waiting {...factors} />
      {data !== null && <p class="hint">{data.totp ? `${words.on} ${words.left(data.recoveryLeft)}` : words.off}</p>}
      {codes !== null && <RecoveryCodes codes={codes} close={() => setCodes(null)} />}
      {begun !== null && <SetUp {...begun} confirm={confirm} cancel={() => setBegun(null)} />}
      {data !== null && (begun === null || data.totp) && (
        <div class="buttons">
          <ActionButton text={data.totp ? words.again : words.setUp} kind={data.totp ? "" : "primary"} run={start} />
          {data.totp && <ConfirmButton text={words.renew} confirmText={words.surelyRenew} run={renew} />}
          {data.totp && <ConfirmButton text={t.remove} confirmText={words.surelyRemove} run={removeApp} />}
        </div>
      )}
    </Card>
  );
}

type SetUpProps = TotpBegun & Readonly<{ confirm: (fields: { code?: string }) => Promise<void>; cancel: () => void }>;

function SetUp({ secret, uri, confirm, cancel }: SetUpProps) {
  return (
    <div class="preview">
      <p>{words.scan}</p>
      <QrCode text={uri} title={words.picture} />
      <p>
        {words.typed} <code class="typed">{secret.match(/.{1,4}/g)?.join(" ")}</code>{" "}
        <Copy text={secret} what={words.secret} />
      </p>
      <details>
        <summary>{words.address}</summary>
        <code class="typed">{uri}</code>
      </details>
      <Form label={words.confirm} submit={confirm} close={cancel}>
        <Field
          label={words.first}
          name="code"
          inputMode="numeric"
          autocomplete="one-time-code"
          maxLength={20}
          required
        />
      </Form>
    </div>
  );
}

function RecoveryCodes({ codes, close }: Readonly<{ codes: readonly string[]; close: () => void }>) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), [codes]);
  const text = `${codes.join("\n")}\n`;
  return (
    <div class="preview codes">
      <h3 ref={heading} tabIndex={-1}>
        {words.codes}
      </h3>
      <p>{words.keep}</p>
      <ol>
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ol>
      <div class="buttons">
        <Copy text={text} what={words.codes} />
        <Button text={words.save} onClick={() => download(words.file, "text/plain", text)} />
        <Button text={words.print} onClick={() => print()} />
        <Button text={words.kept} class="primary" onClick={close} />
      </div>
    </div>
  );
}
