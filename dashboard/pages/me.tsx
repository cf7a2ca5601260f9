import { useState } from "preact/hooks";
import type { MyMailbox } from "../../src/admin/me.ts";
import type { Answer } from "../api.ts";
import { LanguageCard } from "../controls.tsx";
import { size, whole } from "../format.ts";
import { t } from "../mailbox-texts.ts";
import { Card, Fact, LinkButton, SafeText, State, useAnswer, Waiting } from "../parts.tsx";
import { Copy, QrCode } from "../secrets.tsx";
import { AppPasswordsCard, OwnSessionsCard, PasswordCard, SignInsCard } from "./me/access.tsx";
import { Delivery } from "./me/delivery.tsx";
import { CodeCard, FollowCard, SendersCard } from "./me/mail.tsx";

const words = t.me;

export function MePage() {
  const me = useAnswer("GET /me", {});
  const { data, reload } = me;
  return (
    <>
      <Waiting {...me} />
      {data !== null && <Facts me={data} />}
      {data !== null && <SignInsCard isPasswordOnServer={data.passwordOnServer} />}
      <div class="columns">
        <div class="stack">
          {data !== null && <CodeCard until={data.greylistPausedUntil} changed={reload} />}
          <SendersCard />
          <FollowCard />
          <ClientCard />
          {data !== null && <AppPasswordsCard isOnServer={data.passwordOnServer} />}
        </div>
        <div class="stack">
          <Delivery />
          {data !== null && <PasswordCard isOnServer={data.passwordOnServer} />}
          <OwnSessionsCard />
          <LanguageCard />
        </div>
      </div>
    </>
  );
}

function Facts({ me }: Readonly<{ me: MyMailbox }>) {
  return (
    <Card title={me.account}>
      {me.guarded && <State status="degraded">{words.guarded}</State>}
      <ul>
        <Fact title={words.use}>{usageText(me)}</Fact>
        <Fact title={words.networks}>
          <Listed items={me.networks} none={words.anywhere} />
        </Fact>
        <Fact title={words.aliases}>
          <Listed items={me.aliases} none={words.noAliases} />
        </Fact>
      </ul>
    </Card>
  );
}

function usageText({ usedBytes, mails, quotaBytes }: MyMailbox): string {
  if (usedBytes === null || mails === null) return words.useUnknown;
  const [used, count] = [size(usedBytes), whole(mails)];
  return quotaBytes === 0 ? words.useNoLimit(used, count) : words.useOf(used, size(quotaBytes), count);
}

function Listed({ items, none }: Readonly<{ items: readonly string[]; none: string }>) {
  return items.length === 0 ? none : <SafeText text={items.join(", ")} />;
}

type Client = Answer<"GET /me/client">;

/** What a mail program must know, in three forms. None of them contains a password. */
function ClientCard() {
  const client = useAnswer("GET /me/client", {});
  return (
    <Card title={words.client} hint={words.clientHint}>
      <Waiting {...client} />
      {client.data !== null && <Settings client={client.data} />}
    </Card>
  );
}

function Settings({ client }: Readonly<{ client: Client }>) {
  const { account, imap, smtp, text } = client;
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <ul>
        <Fact title={words.incoming}>{words.at(imap.host, imap.port)}</Fact>
        <Fact title={words.outgoing}>{words.at(smtp.host, smtp.port)}</Fact>
        <Fact title={words.user}>
          <SafeText text={account} />
        </Fact>
        <Fact title={words.clientPassword}>{words.yourPassword}</Fact>
      </ul>
      <div class="buttons">
        <Copy text={text} what={words.settingsText} />
        <LinkButton text={words.profile} href="api/v1/me/client.mobileconfig" download />
      </div>
      <p class="hint">{words.profileHint}</p>
      <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
        <summary>{words.onPhone}</summary>
        <p class="hint">{words.qrHint}</p>
        {isOpen && <QrCode text={qrTextOf(client)} title={words.qrTitle} />}
      </details>
    </>
  );
}

/** Short, so that the code has few, large squares. */
function qrTextOf({ account, imap, smtp }: Client): string {
  const line = (name: string, { host, port }: Client["imap"]): string => `${name} ${host}:${port} SSL/TLS`;
  return [account, line("IMAP", imap), line("SMTP", smtp)].join("\n");
}
