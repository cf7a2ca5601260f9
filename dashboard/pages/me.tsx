import type { MyMailbox } from "../../src/wire/control/results.ts";
import { get } from "../api.ts";
import { size, whole } from "../format.ts";
import { LanguageField } from "../language-field.tsx";
import { language, t } from "../messages.ts";
import { Card, Said, State, useLoaded, Waiting } from "../parts.tsx";
import { Heading } from "../shell.tsx";

/** What the user of a mailbox sees: their own mailbox, and nothing else. */
export function MePage() {
  const { data, error, reload } = useLoaded(() => get<MyMailbox>("me"), []);
  return (
    <>
      <Heading>{t.value.me.title}</Heading>
      <Waiting error={error} reload={reload} isLoaded={data !== null} />
      {data !== null && <Facts me={data} />}
      <Card title={t.value.me.page}>
        <LanguageField />
      </Card>
    </>
  );
}

function Facts({ me }: Readonly<{ me: MyMailbox }>) {
  const words = t.value.me;
  return (
    <Card title={me.account}>
      {me.guarded && <State status="degraded">{words.guarded}</State>}
      <ul>
        <li class="row brief">
          <strong>{words.use}</strong>
          <span>{useOf(me)}</span>
        </li>
        <li class="row brief">
          <strong>{words.networks}</strong>
          <Listed items={me.networks} none={words.anywhere} />
        </li>
        <li class="row brief">
          <strong>{words.aliases}</strong>
          <Listed items={me.aliases} none={words.noAliases} />
        </li>
      </ul>
    </Card>
  );
}

function useOf({ usedBytes, mails, quotaBytes }: MyMailbox): string {
  const words = t.value.me;
  if (usedBytes === null || mails === null) return t.value.accounts.useUnknown;
  const [used, count] = [size(usedBytes, language.value), whole(mails, language.value)];
  return quotaBytes === 0 ? words.useNoLimit(used, count) : words.useOf(used, size(quotaBytes, language.value), count);
}

function Listed({ items, none }: Readonly<{ items: readonly string[]; none: string }>) {
  return items.length === 0 ? <span>{none}</span> : <Said text={items.join(", ")} />;
}
