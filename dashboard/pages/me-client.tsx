import { useState } from "preact/hooks";
import { get } from "../api.ts";
import { Copy } from "../copy.tsx";
import { t } from "../mailbox-texts.ts";
import { Card, Said, useLoaded, Waiting } from "../parts.tsx";
import { QrCode } from "../qr-code.tsx";

/** Both ports use TLS from the start. */
type Place = Readonly<{ host: string; port: number }>;
type Client = Readonly<{ account: string; imap: Place; smtp: Place; text: string }>;

/** What a mail program must know, in three forms. None of them holds a password. */
export function ClientCard() {
  const { data, error, reload } = useLoaded(() => get<Client>("me/client"), []);
  const words = t.value.me;
  return (
    <Card title={words.client}>
      <p class="hint">{words.clientHint}</p>
      <Waiting error={error} reload={reload} isLoaded={data !== null} />
      {data !== null && <Settings client={data} />}
    </Card>
  );
}

function Settings({ client }: Readonly<{ client: Client }>) {
  const { account, imap, smtp, text } = client;
  const words = t.value.me;
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <ul>
        <Fact title={words.incoming} says={placeOf(imap)} />
        <Fact title={words.outgoing} says={placeOf(smtp)} />
        <Fact title={words.user} says={account} />
        <Fact title={words.clientPassword} says={words.yourPassword} />
      </ul>
      <div class="buttons">
        <Copy text={text} what={words.settingsText} />
        <a class="button" href="api/v1/me/client.mobileconfig" download>
          {words.profile}
        </a>
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

function Fact({ title, says }: Readonly<{ title: string; says: string }>) {
  return (
    <li class="row brief">
      <strong>{title}</strong> <Said text={says} />
    </li>
  );
}

function placeOf({ host, port }: Place): string {
  return t.value.me.at(host, port);
}

/** Short, so that the code has few and large squares. */
function qrTextOf({ account, imap, smtp }: Client): string {
  const line = (name: string, { host, port }: Place): string => `${name} ${host}:${port} SSL/TLS`;
  return [account, line("IMAP", imap), line("SMTP", smtp)].join("\n");
}
