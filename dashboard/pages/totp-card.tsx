import { useState } from "preact/hooks";
import type { FactorList, TotpBegun } from "../../src/wire/verbs/factors.ts";
import { t } from "../admin-texts.ts";
import { get, post, remove } from "../api.ts";
import { tell } from "../attempt.ts";
import { Copy } from "../copy.tsx";
import { Card, Field, fieldsOf, useAttempt, useLoaded, Waiting } from "../parts.tsx";
import { withProof } from "../proof.tsx";
import { QrCode } from "../qr-code.tsx";
import { RecoveryCodes } from "./recovery-codes.tsx";
import { Surely } from "./surely.tsx";

type NewCodes = Readonly<{ recoveryCodes: readonly string[] }>;

/** The authenticator app: set up, confirmed, removed; and its recovery codes. */
export function TotpCard() {
  const { data, error, reload } = useLoaded(() => get<FactorList>("factors"), []);
  const [begun, setBegun] = useState<TotpBegun | null>(null);
  const [codes, setCodes] = useState<readonly string[] | null>(null);
  const { isBusy, attempt } = useAttempt();
  const words = t.value.security;
  const showCodes = ({ recoveryCodes }: NewCodes): void => {
    setBegun(null);
    setCodes(recoveryCodes);
    reload();
  };
  const begin = (): void =>
    attempt(async () => {
      setCodes(null);
      setBegun(await withProof(() => post<TotpBegun>("factors/totp", {})));
    });
  const confirm = (code: string): void =>
    attempt(async () => showCodes(await post<NewCodes>("factors/totp/confirm", { code })));
  const renew = async (): Promise<void> => showCodes(await withProof(() => post<NewCodes>("factors/recovery", {})));
  const removeApp = async (): Promise<void> => {
    await withProof(() => remove("factors/totp"));
    setCodes(null);
    tell(words.removed);
    reload();
  };
  return (
    <Card title={words.title}>
      <Waiting error={error} reload={reload} isLoaded={data !== null} />
      {data !== null && <p class="hint">{data.totp ? `${words.on} ${words.left(data.recoveryLeft)}` : words.off}</p>}
      {codes !== null && <RecoveryCodes codes={codes} close={() => setCodes(null)} />}
      {begun !== null && <SetUp {...begun} isBusy={isBusy} confirm={confirm} cancel={() => setBegun(null)} />}
      {data !== null && begun === null && (
        <div class="buttons">
          <button type="button" class={data.totp ? undefined : "primary"} aria-disabled={isBusy} onClick={begin}>
            {data.totp ? words.again : words.setUp}
          </button>
          {data.totp && <Surely shown={words.renew} surely={words.surelyRenew} run={renew} />}
          {data.totp && <Surely shown={words.remove} surely={words.surelyRemove} run={removeApp} />}
        </div>
      )}
    </Card>
  );
}

type SetUpProps = TotpBegun & Readonly<{ isBusy: boolean; confirm: (code: string) => void; cancel: () => void }>;

function SetUp({ secret, uri, isBusy, confirm, cancel }: SetUpProps) {
  const words = t.value.security;
  const submit = (event: Event): void => {
    event.preventDefault();
    confirm(fieldsOf(event.currentTarget)["code"] ?? "");
  };
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
      <form class="fields" onSubmit={submit}>
        <Field
          label={words.first}
          name="code"
          inputMode="numeric"
          autocomplete="one-time-code"
          maxLength={20}
          required
        />
        <div class="buttons">
          <button class="primary" type="submit" aria-disabled={isBusy}>
            {words.confirm}
          </button>
          <button type="button" onClick={cancel}>
            {words.cancel}
          </button>
        </div>
      </form>
    </div>
  );
}
