import { useState } from "preact/hooks";
import type { DetailedAccount } from "../../../src/admin/accounts.ts";
import { t } from "../../admin-texts.ts";
import { post, put, remove } from "../../api.ts";
import { attempt, tell } from "../../attempt.ts";
import { FormButtons, typedIn } from "../../fields.tsx";
import { size } from "../../format.ts";
import { language } from "../../messages.ts";
import { Card, Field, fieldsOf, Said } from "../../parts.tsx";
import { withProof } from "../../proof.tsx";
import { type Made, MadeSecret, PasswordField } from "./new-accounts.tsx";

export type Props = Readonly<{ account: DetailedAccount; changed: () => void }>;

const GB = 1024 ** 3;
const OFFERED_GB = [1, 2, 5, 10, 20, 50, 100];

export function pathOf({ name }: Readonly<{ name: string }>, what: string): string {
  return `accounts/${encodeURIComponent(name)}/${what}`;
}

export function AccountPassword({ account, changed }: Props) {
  const [made, setMade] = useState<Made | null>(null);
  const words = t.value.accounts;
  const submit = (event: Event): void => {
    event.preventDefault();
    const form = event.currentTarget;
    if (!(form instanceof HTMLFormElement)) return;
    const { password } = typedIn(form);
    attempt(async () => {
      const done = await withProof(() => post<Made>(pathOf(account, "password"), password));
      tell(words.passwordSet(account.name));
      form.reset();
      setMade(done);
      changed();
    });
  };
  return (
    <Card title={words.setPassword}>
      <p class="hint">{words.passwordSays}</p>
      <form class="fields" onSubmit={submit}>
        <PasswordField />
        <FormButtons label={words.setPassword} isPlain />
      </form>
      {made !== null && <MadeSecret {...made} close={() => setMade(null)} />}
    </Card>
  );
}

export function AccountQuota({ account, changed }: Props) {
  const words = t.value.accounts;
  const { name, quotaBytes, usualQuotaBytes } = account;
  const spoken = language.value;
  const shown = (bytes: number): string => (bytes === 0 ? words.noLimit : size(bytes, spoken));
  const sizes = new Set([...OFFERED_GB.map((count) => count * GB), ...(quotaBytes === null ? [] : [quotaBytes]), 0]);
  const submit = (event: Event): void => {
    event.preventDefault();
    const { quota = "" } = fieldsOf(event.currentTarget);
    attempt(async () => {
      await put(pathOf(account, "quota"), { quotaBytes: quota === "" ? null : Number(quota) });
      tell(words.quotaSet(name));
      changed();
    });
  };
  return (
    <Card title={words.quota}>
      <form class="fields" onSubmit={submit}>
        <label class="field">
          <span>{words.quota}</span>
          <select name="quota">
            <option value="" selected={quotaBytes === null}>
              {words.quotaUsual(shown(usualQuotaBytes))}
            </option>
            {[...sizes].map((bytes) => (
              <option key={bytes} value={bytes} selected={bytes === quotaBytes}>
                {shown(bytes)}
              </option>
            ))}
          </select>
        </label>
        <FormButtons label={words.save} isPlain />
      </form>
    </Card>
  );
}

export function AccountNetworks({ account, changed }: Props) {
  const words = t.value.accounts;
  const change = (ask: () => Promise<unknown>, after: () => void = () => undefined): void =>
    attempt(async () => {
      await withProof(ask);
      tell(words.networksSet(account.name));
      after();
      changed();
    });
  const submit = (event: Event): void => {
    event.preventDefault();
    const form = event.currentTarget;
    const { network = "" } = fieldsOf(form);
    change(
      () => post(pathOf(account, "networks"), { networks: network.match(/[^\s,]+/g) ?? [] }),
      () => form instanceof HTMLFormElement && form.reset(),
    );
  };
  return (
    <Card title={words.networks}>
      {account.networks.length === 0 && <p class="empty">{words.anywhere}</p>}
      <ul class="rows">
        {account.networks.map((network) => (
          <li key={network} class="row act">
            <Said text={network} />
            <button
              type="button"
              aria-label={words.takeNetwork(network)}
              onClick={() => change(() => remove(pathOf(account, `networks/${network}`)))}
            >
              {words.take}
            </button>
          </li>
        ))}
      </ul>
      <form class="fields" onSubmit={submit}>
        <Field label={words.network} name="network" required maxLength={500} />
        <FormButtons label={words.addNetwork} isPlain />
      </form>
    </Card>
  );
}
