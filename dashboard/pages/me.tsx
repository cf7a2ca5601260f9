import type { MyMailbox } from "../../src/wire/verbs/me.ts";
import { get } from "../api.ts";
import { size, whole } from "../format.ts";
import { LanguageField } from "../language-field.tsx";
import { t } from "../mailbox-texts.ts";
import { language } from "../messages.ts";
import { Card, Said, State, useLoaded, Waiting } from "../parts.tsx";
import { Heading } from "../shell.tsx";
import { AppPasswordsCard } from "./me-apps.tsx";
import { ClientCard } from "./me-client.tsx";
import { FollowCard } from "./me-follow.tsx";
import { ForwardingCard } from "./me-forwarding.tsx";
import { CodeCard, SendersCard } from "./me-mail.tsx";
import { PasswordCard } from "./me-password.tsx";
import { OwnSessionsCard } from "./me-sessions.tsx";
import { SignInsCard } from "./me-sign-ins.tsx";
import { VacationCard } from "./me-vacation.tsx";

/** What the user of a mailbox sees: their own mailbox, and nothing else. */
export function MePage() {
  const { data, error, reload } = useLoaded(() => get<MyMailbox>("me"), []);
  return (
    <>
      <Heading>{t.value.me.title}</Heading>
      <Waiting error={error} reload={reload} isLoaded={data !== null} />
      {data !== null && <Facts me={data} />}
      {data !== null && <SignInsCard isPasswordOnServer={data.passwordOnServer} />}
      <div class="columns">
        {data !== null && <CodeCard until={data.greylistPausedUntil} changed={reload} />}
        <SendersCard />
        <FollowCard />
        <ClientCard />
        <AppPasswordsCard />
        <ForwardingCard />
        <VacationCard />
        {data !== null && <PasswordCard isOnServer={data.passwordOnServer} />}
        <OwnSessionsCard />
        <Card title={t.value.me.page}>
          <LanguageField />
        </Card>
      </div>
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
  if (usedBytes === null || mails === null) return words.useUnknown;
  const [used, count] = [size(usedBytes, language.value), whole(mails, language.value)];
  return quotaBytes === 0 ? words.useNoLimit(used, count) : words.useOf(used, size(quotaBytes, language.value), count);
}

function Listed({ items, none }: Readonly<{ items: readonly string[]; none: string }>) {
  return items.length === 0 ? <span>{none}</span> : <Said text={items.join(", ")} />;
}
