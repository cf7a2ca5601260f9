import { useState } from "preact/hooks";
import type { DetailedAccount } from "../../../src/admin/accounts.ts";
import { t } from "../../admin-texts.ts";
import { request } from "../../api.ts";
import { notify } from "../../attempt.ts";
import { Choice, Form, NewPassword, RemoveButton } from "../../controls.tsx";
import { size, withoutEmpty } from "../../format.ts";
import { Card, Field, Item } from "../../parts.tsx";
import { change, withProof } from "../../session.ts";
import { type CreatedAccount, MadeSecret } from "./new-accounts.tsx";

const words = t.accounts;

export type Props = Readonly<{ account: DetailedAccount; changed: () => void }>;

/** Whether a followed file sets the account's password and quota. */
export function followsFile({ origin }: Pick<DetailedAccount, "origin">): boolean {
  return origin === "listed" || origin === "unlisted";
}

/** The cards by which the owner changes an account. */
export function AccountChanges(props: Props) {
  const { account } = props;
  const isOfFile = followsFile(account);
  return (
    <div class="stack">
      {!isOfFile && !account.passwordsOnServer && <AccountPassword {...props} />}
      {!isOfFile && <AccountQuota {...props} />}
      <AccountNetworks {...props} />
    </div>
  );
}

const GB = 1024 ** 3;
const OFFERED_GB = [1, 2, 5, 10, 20, 50, 100];

function AccountPassword({ account, changed }: Props) {
  const [made, setMade] = useState<CreatedAccount | null>(null);
  const submit = async ({ password = "" }): Promise<void> => {
    const asked = { params: { name: account.name }, body: withoutEmpty({ password }) };
    const done = await withProof(() => request("POST /accounts/{name}/password", asked)).finally(changed);
    notify(words.passwordSet(account.name));
    setMade(done);
  };
  // Pressing Enter once more must not replace the typed password with a generated one.
  const isTyped = made?.password === null;
  return (
    <Card title={words.setPassword} hint={words.passwordSays}>
      <Form label={words.setPassword} isPlain clears submit={submit}>
        <NewPassword
          label={isTyped ? words.shownPassword : words.password}
          required={isTyped}
          onBlur={() => void (isTyped && setMade(null))}
        />
      </Form>
      {made !== null && <MadeSecret {...made} close={() => setMade(null)} />}
    </Card>
  );
}

function AccountQuota({ account, changed }: Props) {
  const { name, quotaBytes, usualQuotaBytes } = account;
  const sizeText = (bytes: number): string => (bytes === 0 ? words.noLimit : size(bytes));
  const sizes = new Set([...OFFERED_GB.map((count) => count * GB), ...(quotaBytes === null ? [] : [quotaBytes]), 0]);
  const choices = [
    ["", words.quotaUsual(sizeText(usualQuotaBytes))] as const,
    ...Array.from(sizes, (bytes) => [String(bytes), sizeText(bytes)] as const),
  ];
  const submit = ({ quota = "" }): Promise<void> => {
    const asked = { params: { name }, body: { quotaBytes: quota === "" ? null : Number(quota) } };
    return change(() => request("PUT /accounts/{name}/quota", asked), changed, words.quotaSet(name));
  };
  return (
    <Card title={words.quota}>
      <Form label={t.security.save} isPlain submit={submit}>
        <Choice label={words.quota} name="quota" choices={choices} chosen={String(quotaBytes ?? "")} />
      </Form>
    </Card>
  );
}

function AccountNetworks({ account, changed }: Props) {
  const { name } = account;
  // Another tab may have removed the networks that this one shows.
  const set = (ask: () => Promise<Pick<DetailedAccount, "networks">>): Promise<void> =>
    change(ask, changed, ({ networks }) => words.networksSet(name, networks.length === 0));
  const add = ({ network = "" }): Promise<void> => {
    const asked = { params: { name }, body: { networks: network.match(/[^\s,]+/g) ?? [] } };
    return set(() => request("POST /accounts/{name}/networks", asked));
  };
  const removeOne = (network: string): Promise<void> =>
    set(() => request("DELETE /accounts/{name}/networks/{network}", { params: { name, network } }));
  return (
    <Card title={words.networks}>
      {account.networks.length === 0 && <p class="empty">{words.anywhere}</p>}
      <ul class="rows">
        {account.networks.map((network) => (
          <Item key={network} name={network}>
            <RemoveButton name={network} run={() => removeOne(network)} />
          </Item>
        ))}
      </ul>
      <Form label={words.addNetwork} isPlain clears submit={add}>
        <Field label={words.network} name="network" required />
      </Form>
    </Card>
  );
}
